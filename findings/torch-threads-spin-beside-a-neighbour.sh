#!/usr/bin/env bash
# torch 2.15.0 on a CPU: where another process keeps one of two processors busy, small layers take several times as long
# with two threads as with one. The threads of torch's libgomp do not sleep at the end of a layer, they spin: the thread
# that is done spins until the other one, which shares its processor with the neighbour, is done too. A decoder step of
# a speech model is dozens of such layers.
# Expected: that a busy processor costs its own share, so at most half of the speed, and that two threads take no more
# processor time than one for the same sums.
# Seen: several times the processor time of GOMP_SPINCOUNT=0, and ten times the duration (in one run 60 ms of processor
# time a step and 15 ms, 227 ms in all and 15 ms). In Kubernetes that is the ordinary case: a pod asks for a quarter of
# a processor, and torch takes a thread for each processor of the node.
# Remedy: GOMP_SPINCOUNT=0 or OMP_WAIT_POLICY=PASSIVE in the image, or as many threads as processors are granted.
# Fails (exit 1) once spinning takes less than one and a half times as much. The script needs two processors, and
# installs torch from PyPI: some 3 GB.
set -euo pipefail
directory=$(mktemp -d)
trap 'if [ -n "${neighbour-}" ]; then kill "$neighbour"; fi; rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet uv==0.13.9
UV_NO_CACHE=1 "$directory/venv/bin/uv" pip install --quiet --python "$directory/venv/bin/python" torch==2.15.0 numpy
cat >"$directory/step.py" <<'PYTHON'
import time

import torch

torch.set_grad_enabled(False)
layers = [(torch.nn.Linear(512, 2048), torch.nn.Linear(2048, 512)) for _ in range(6)]


def step(values):
    for wide, narrow in layers:
        values = torch.nn.functional.layer_norm(narrow(torch.nn.functional.gelu(wide(values))) + values, (512,))


values = torch.ones(8, 512)
step(values)
steps, began, used = 0, time.perf_counter(), time.process_time()
while time.perf_counter() < began + 8:
    step(values)
    steps += 1
print(f"{1000 * (time.process_time() - used) / steps:.2f} {1000 * (time.perf_counter() - began) / steps:.2f}")
PYTHON
mapfile -t processors < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0))[:2], sep="\n")')
taskset --cpu-list "${processors[1]}" python3 -c 'while True: pass' &
neighbour=$!
measure() {
    env "$@" taskset --cpu-list "${processors[0]},${processors[1]}" \
        "$directory/venv/bin/python" -W ignore "$directory/step.py"
}
"$directory/venv/bin/python" -W ignore -c 'import torch; print("torch", torch.__version__)'
read -r spinning spinning_wall < <(measure OMP_NUM_THREADS=2)
read -r sleeping sleeping_wall < <(measure OMP_NUM_THREADS=2 GOMP_SPINCOUNT=0)
read -r alone alone_wall < <(measure OMP_NUM_THREADS=1)
echo "2 threads:                   $spinning ms of processor time a step, $spinning_wall ms in all"
echo "2 threads, GOMP_SPINCOUNT=0: $sleeping ms of processor time a step, $sleeping_wall ms in all"
echo "1 thread:                    $alone ms of processor time a step, $alone_wall ms in all"
python3 -c 'import sys; sys.exit(float(sys.argv[1]) < 1.5 * float(sys.argv[2]))' "$spinning" "$sleeping"
