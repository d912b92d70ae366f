"""The node's address, the pods' network, and how all of it is taken away again."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final

BRIDGE: Final = "whisper-br0"
INTERFACE: Final = "whisper0"
NODE_ADDRESS: Final = "172.30.99.1"
"""Address of an interface of our own, so that the cluster does not depend on the machine's network.

A bridge without ports: not every kernel has dummy interfaces, but pods need bridges anyway.
"""
POD_NETWORK: Final = "10.244.0.0/24"
NETNS: Final = Path("/run/netns")


def add_interface() -> None:
    if not Path(f"/sys/class/net/{INTERFACE}").exists():
        _ip("link", "add", INTERFACE, "type", "bridge")
    _ip("address", "replace", f"{NODE_ADDRESS}/32", "dev", INTERFACE)
    _ip("link", "set", INTERFACE, "up")


def write_cni(directory: Path) -> None:
    """The pods' network: a bridge with addresses given out by the node."""
    (directory / "net.d").mkdir(parents=True, exist_ok=True)
    ipam = {
        "type": "host-local",
        "subnet": POD_NETWORK,
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(directory / "addresses"),
    }
    bridge = {"type": "bridge", "bridge": BRIDGE, "isGateway": True, "ipMasq": True, "hairpinMode": True, "ipam": ipam}
    plugins = [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]
    conflist = {"cniVersion": "0.4.0", "name": "whisper", "plugins": plugins}
    (directory / "net.d/10-whisper.conflist").write_text(json.dumps(conflist))


def remove() -> None:
    """Takes away interfaces, network namespaces and the chains of kube-proxy, the kubelet and the CNI plugins."""
    for namespace in NETNS.glob("cni-*"):
        subprocess.run(("ip", "netns", "delete", namespace.name), check=False, capture_output=True)
    for name in (BRIDGE, INTERFACE):
        if Path(f"/sys/class/net/{name}").exists():
            _ip("link", "delete", name)
    for family in ("iptables", "ip6tables"):
        _remove_chains(family)


def without_our_chains(rules: str) -> str:
    """iptables-save's output without the chains of a cluster, and without the rules that are in or jump to them."""
    return "".join(line for line in rules.splitlines(keepends=True) if not _is_ours(line))


def _is_ours(line: str) -> bool:
    return any(word.lstrip(":").startswith(("KUBE-", "CNI-")) for word in line.split()) or POD_NETWORK in line


def _remove_chains(family: str) -> None:
    saved = subprocess.run((f"{family}-save",), capture_output=True, text=True, check=False)
    kept = without_our_chains(saved.stdout)
    if saved.returncode == 0 and kept != saved.stdout:
        subprocess.run((f"{family}-restore",), input=kept, text=True, check=True, capture_output=True)


def _ip(*arguments: str) -> None:
    done = subprocess.run(("ip", *arguments), capture_output=True, text=True, check=False, env=dict(os.environ))
    if done.returncode:
        raise SystemExit(f"ip {' '.join(arguments)} failed: {done.stderr.strip()}")
