"""Takes everything of the cluster away, also after a run that was killed half-way."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from testbed.cluster import binaries, images, network, node, process
from testbed.paths import CLUSTER

EMPTY_SECONDS = 30
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager")


def remove() -> None:
    """No process, mount, interface, network namespace or chain is left, and no state but the image store."""
    for component in ("kubelet", "kube-proxy", "kube-scheduler"):
        process.stop(CLUSTER, component)
    _remove_containers()
    process.stop(CLUSTER, "containerd")
    for component in reversed(CONTROL_PLANE):
        process.stop(CLUSTER, component)
    _kill_stragglers()
    network.remove()
    _unmount_all()
    if CLUSTER.exists():
        shutil.rmtree(CLUSTER)


def _remove_containers() -> None:
    """Ends every container and forgets it; containerd is started for that where it no longer runs."""
    if not (CLUSTER / "containerd.toml").exists():
        return
    if not process.is_running(CLUSTER, "containerd"):
        _kill_stragglers()
        node.start_containerd()
    _empty("tasks", "--force")
    _empty("containers")


def _empty(kind: str, *options: str) -> None:
    """Deletes until nothing is listed: a pod's tasks share a shim, so one's end may take another's answer with it."""
    deadline = time.monotonic() + EMPTY_SECONDS
    while left := images.ctr(kind, "list", "--quiet").stdout.split():
        if time.monotonic() > deadline:
            raise process.ComponentFailed(f"containerd keeps {kind} {', '.join(left)}")
        for item in left:
            with contextlib.suppress(subprocess.CalledProcessError):
                images.ctr(kind, "delete", *options, item)


def _kill_stragglers() -> None:
    """Ends what is left of ours: shims, which outlive containerd, and what a run that was killed had just started."""
    pids = list(_stragglers())
    for pid in pids:
        for child in (*_children(pid), pid):
            _kill(child)
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)


def _stragglers() -> Iterator[int]:
    """Processes of containerd, or of our binaries, that were given a path in the cluster's directory."""
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        ours = Path(words[0]).name.startswith("containerd") or words[0].startswith(f"{binaries.BIN}/")
        if ours and any(f"{CLUSTER}/" in word for word in words[1:]):
            yield int(directory.name)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _unmount_all() -> None:
    """Whatever is mounted below the cluster's directory, innermost first."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    ours = [point for point in mounted if point.startswith((f"{CLUSTER}/", f"{network.NETNS}/cni-"))]
    for point in sorted(ours, key=len, reverse=True):
        subprocess.run(("umount", "--lazy", point), check=False, capture_output=True)
