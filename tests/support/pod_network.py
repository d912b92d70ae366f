"""A node's network without a kubelet: a network namespace with a bridge, and on it one for each pod. Needs root."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from tests.support import wire

NETWORK: Final = "10.245.0.0/24"
NODE_ADDRESS: Final = "10.245.0.1"
PREFIX: Final = "neighbours"
"""Of the names of the network namespaces, and the name of the machine's end of the link to the node."""
NODE: Final = f"{PREFIX}-node"
UPLINK: Final = "198.18.0.0/30"
"""Between the node and the machine: https://www.rfc-editor.org/rfc/rfc2544 keeps these addresses for tests."""


@dataclass(frozen=True)
class PodNetwork:
    listeners: list[subprocess.Popen[str]] = field(default_factory=list[subprocess.Popen[str]])

    def add(self, number: int, *ports: int) -> None:
        """Makes the network's `number`th pod, whose program answers on those ports."""
        name, link = f"{PREFIX}-{number}", f"pod{number}"
        _ip("netns", "add", name)
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", NODE, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("-n", NODE, "link", "set", link, "master", "pods", "up")
        _ip("-n", name, "address", "add", f"{address(number)}/24", "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")
        if ports:
            listening = (sys.executable, wire.__file__, "listen", address(number), *map(str, ports))
            listener = subprocess.Popen((*inside(name), *listening), stdout=subprocess.PIPE, text=True)
            self.listeners.append(listener)
            assert listener.stdout is not None
            assert listener.stdout.readline() == "open\n"

    def answers(self, source: int, protocol: str, target: int, port: int) -> bool:
        """Whether the pod `source` has an answer from the pod `target`."""
        asking = (sys.executable, "-SE", wire.__file__, "ask", protocol, address(target), str(port))
        done = subprocess.run((*inside(f"{PREFIX}-{source}"), *asking), capture_output=True, text=True, check=True)
        return done.stdout == "answer\n"


@contextmanager
def running() -> Iterator[PodNetwork]:
    """The node without pods; gone with all its network namespaces when the block ends."""
    _remove()  # what a run that was killed has left
    machine, node = (UPLINK.replace("0/30", end) for end in ("1", "2"))
    network = PodNetwork()
    try:
        _ip("netns", "add", NODE)
        _ip("-n", NODE, "link", "set", "lo", "up")
        _ip("-n", NODE, "link", "add", "pods", "type", "bridge")
        _ip("-n", NODE, "address", "add", f"{NODE_ADDRESS}/24", "dev", "pods")
        _ip("-n", NODE, "link", "set", "pods", "up")
        _ip("link", "add", PREFIX, "type", "veth", "peer", "name", "machine", "netns", NODE)
        _ip("address", "add", f"{machine}/30", "dev", PREFIX)
        _ip("link", "set", PREFIX, "up")
        _ip("-n", NODE, "address", "add", f"{node}/30", "dev", "machine")
        _ip("-n", NODE, "link", "set", "machine", "up")
        _ip("-n", NODE, "route", "add", "default", "via", machine)
        yield network
    finally:
        for listener in network.listeners:
            listener.kill()
            listener.communicate()
        _remove()


def address(number: int) -> str:
    """Of the network's `number`th pod."""
    return NETWORK.replace("0/24", str(number))


def inside(namespace: str) -> tuple[str, ...]:
    """A command that runs another one in that network namespace."""
    return "ip", "netns", "exec", namespace


def _remove() -> None:
    """Takes the network namespaces away, and with them all that is in them, the link to the machine included."""
    for line in _ip("netns", "list").splitlines():
        if line.startswith(f"{PREFIX}-"):
            _ip("netns", "delete", line.split()[0])


def _ip(*arguments: str) -> str:
    """Standard output; raises CalledProcessError."""
    return subprocess.run(("ip", *arguments), capture_output=True, text=True, check=True).stdout
