#!/usr/bin/env bash
# kube-apiserver 1.37.2: to create a Service that gets a cluster IP takes time in proportion to the Services that have
# one. The allocator counts the addresses in use after each allocation, for a gauge, by listing all IPAddress objects
# through a label selector (Allocator.Used in pkg/registry/core/service/ipallocator/ipallocator.go). A headless Service
# has no address and takes the same time always.
# Expected: a map or bitmap, whose price does not grow, as before IPAddress objects (before 1.33). Seen: what an address
# adds to a Service's creation, in the API server's processor time, grows several times from 200 to 4,000 of them. For a
# controller that makes a Service for each of its objects, creating them all costs with the square of their number.
# Fails (exit 1) once it grows less than twofold.
# shellcheck source=findings/kube-apiserver.sh
source "$(dirname "$0")/kube-apiserver.sh"
PYTHONPATH="$directory" python3 - <<'PYTHON'
import itertools
import sys

from api import NAMESPACE, ask, text

COUNT = 200
numbers = itertools.count()


def processor_seconds():
    """The API server's own count."""
    (line,) = (line for line in text("/metrics").splitlines() if line.startswith("process_cpu_seconds_total "))
    return float(line.split()[1])


def create(**spec):
    manifest = {"metadata": {"name": f"service-{next(numbers)}"}, "spec": {"ports": [{"port": 80}], **spec}}
    status, answer = ask("POST", f"{NAMESPACE}/services", manifest)
    if status != 201:
        sys.exit(f"{status} {answer}")


def cost(**spec):
    """Milliseconds of processor time that the API server takes for the creation of such a Service."""
    before = processor_seconds()
    for _ in range(COUNT):
        create(**spec)
    return 1000 * (processor_seconds() - before) / COUNT


def price(services):
    """Milliseconds of processor time that an address adds."""
    headless, address = cost(clusterIP="None"), cost()
    print(f"at {services:4} addresses: {address:5.1f} ms with an address, {headless:5.1f} ms headless", flush=True)
    return address - headless


for _ in range(COUNT):
    create()  # the API server's first requests take longer
few = price(COUNT)
for _ in range(4000 - 2 * COUNT):
    create()
many = price(4000)
print(f"an address adds {many / few:.1f} times as much")
sys.exit(many < 2 * few)
PYTHON
