"""The processors that the container's cgroups grant: a quota, and a share that reflects what was requested.

A cgroup is in two hierarchies where both versions are mounted; the processors are then version 1's. What a container
sees of its own cgroup depends on its namespace, so it is found as /proc says (cgroups(7)), not by a fixed path.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SELF_CGROUP: Final = Path("/proc/self/cgroup")
SELF_MOUNTS: Final = Path("/proc/self/mountinfo")
SHARES_OF_A_PROCESSOR: Final = 1024
"""What the kubelet writes for a request of one processor (MilliCPUToShares)."""

ReadText = Callable[[Path], "str | None"]
"""The text of a file; None where it is not there, or must not be read."""


@dataclass(frozen=True)
class CpuGrant:
    """What a process may use; None: nothing is said."""

    quota: float | None = None
    """Processors, at most: the least of its own cgroup and those above it."""
    quota_file: str = ""
    """Where the quota stands."""
    request: float | None = None
    """Processors that the cgroup's share stands for, if it is one that Kubernetes has set."""


def cpu_grant() -> CpuGrant:
    """The grant of this process."""
    folders = cpu_folders(read_text(SELF_CGROUP) or "", read_text(SELF_MOUNTS) or "")
    return grant_in(folders, read_text)


def read_text(path: Path) -> str | None:
    """The file's text; None where it is not there, or must not be read."""
    try:
        return path.read_text()
    except (OSError, ValueError):
        return None


def cpu_folders(cgroups: str, mounts: str) -> tuple[Path, ...]:
    """The folder of the process's own cgroup, then each above it that is mounted; none where none is.

    `cgroups` and `mounts` are the texts of /proc/self/cgroup and /proc/self/mountinfo.
    """
    fields = [line.split(":", 2) for line in cgroups.splitlines() if line.count(":") >= 2]
    paths = {controller: path for _, controllers, path in fields for controller in controllers.split(",")}
    version, controller = ("cgroup", "cpu") if "cpu" in paths else ("cgroup2", "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        kind, *_, options = [*after.split(), "", ""][:3]
        if kind != version or (controller and controller not in options.split(",")):
            continue
        root, mount_point = (_unescaped(field) for field in before.split()[3:5])
        return _up_to(Path(mount_point), _below(paths.get(controller, "/"), root))
    return ()


def _below(path: str, root: str) -> str:
    """`path` as seen from a mount of `root`; the mount itself where it is elsewhere, as in another's namespace."""
    inside = path == root or path.startswith(root.rstrip("/") + "/")
    return path.removeprefix(root).strip("/") if inside and ".." not in path else ""


def _up_to(mount_point: Path, below: str) -> tuple[Path, ...]:
    own = mount_point / below
    return (own, *(folder for folder in own.parents if folder.is_relative_to(mount_point)))


def _unescaped(field: str) -> str:
    """A field of mountinfo, in which a blank is written \\040."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def grant_in(folders: tuple[Path, ...], read: ReadText) -> CpuGrant:
    """The grant by the files in `folders`, the process's own first; nothing where there are none."""
    quotas = [(quota, str(file)) for folder in folders for quota, file in _quotas(folder, read)]
    quota, file = min(quotas, default=(None, ""))
    return CpuGrant(quota, file, _request(folders[0], read) if folders else None)


def _quotas(folder: Path, read: ReadText) -> list[tuple[float, Path]]:
    """The quota of a cgroup with its file, by version 2 and by version 1; neither file is in a cgroup without one."""
    modern, old = folder / "cpu.max", folder / "cpu.cfs_quota_us"
    texts = {modern: (read(modern) or "").split(), old: [read(old) or "", read(folder / "cpu.cfs_period_us") or ""]}
    return [
        (int(most) / int(period), file)
        for file, (most, period) in ((file, text) for file, text in texts.items() if len(text) == 2)
        if most.strip().isdigit() and period.strip().isdigit() and int(period)  # version 1 writes -1 for none, 2 "max"
    ]


def _request(own: Path, read: ReadText) -> float | None:
    """The request by the kubelet's share of it.

    Version 2's weight is made from it by one of two formulas, by the container runtime's age (opencontainers/cgroups
    20). The older one is undone here; of the newer one's weights it makes more than was requested: up to twice as much
    where that is four processors or more.
    """
    if shares := _number(read(own / "cpu.shares")):
        return shares / SHARES_OF_A_PROCESSOR
    if weight := _number(read(own / "cpu.weight")):
        return (2 + (weight - 1) * 262142 / 9999) / SHARES_OF_A_PROCESSOR
    return None


def _number(text: str | None) -> int | None:
    found = (text or "").strip()
    return int(found) if found.isdigit() else None
