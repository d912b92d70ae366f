"""Control groups of the processor, as pods are in, and neighbours in them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from whisper_runtime.process.cgroup import SELF_CGROUP, SELF_MOUNTS, SHARES_OF_A_PROCESSOR, cpu_folders

PERIOD: Final = 100_000
"""Microseconds, as the kubelet writes it."""
WEIGHT: Final = 100
"""Version 2's for a share of SHARES_OF_A_PROCESSOR: only the relation of groups counts."""
WHOLE_WEIGHT: Final = 16.0
"""Of all groups together, beside what else runs on the machine, which is to disturb little."""
JOIN: Final = 'echo $$ > "$0"; exec "$@"'
REMOVAL_SECONDS: Final = 10


@dataclass(frozen=True)
class CpuGroup:
    folder: Path

    @property
    def prefix(self) -> tuple[str, ...]:
        """A command that runs the command after it in this group."""
        return ("sh", "-c", JOIN, str(self.folder / "cgroup.procs"))


@contextmanager
def cpu_group(name: str, weight: float = 1.0, quota: float | None = None) -> Generator[CpuGroup]:
    """A group beside others of this function, of `weight` times their share, and of `quota` processors at most.

    Raises SystemExit where this user may make none.
    """
    folders = cpu_folders(SELF_CGROUP.read_text(), SELF_MOUNTS.read_text())
    if not folders or not os.access(folders[-1], os.W_OK):
        raise SystemExit("control groups of the processor are needed, which root can make where they are mounted")
    is_old = (folders[-1] / "cpu.shares").exists()
    parent = folders[-1] / "bench-shared"
    try:
        if not is_old:
            (folders[-1] / "cgroup.subtree_control").write_text("+cpu")
        parent.mkdir(exist_ok=True)
        if not is_old:
            (parent / "cgroup.subtree_control").write_text("+cpu")
        settings = _version_1 if is_old else _version_2
        _write(parent, settings(WHOLE_WEIGHT, None))
        folder = parent / f"{name}-{os.getpid()}"
        folder.mkdir()
        _write(folder, settings(weight, quota))
    except OSError as error:
        raise SystemExit(f"no control group can be made in {folders[-1]}: {error.strerror}") from None
    try:
        yield CpuGroup(folder)
    finally:
        _remove(folder)
        with suppress(OSError):  # others are in it
            parent.rmdir()


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for file, text in files.items():
        (folder / file).write_text(text)


def _version_1(weight: float, quota: float | None) -> dict[str, str]:
    bound = {} if quota is None else {"cpu.cfs_period_us": f"{PERIOD}", "cpu.cfs_quota_us": f"{int(quota * PERIOD)}"}
    return {"cpu.shares": f"{int(weight * SHARES_OF_A_PROCESSOR)}", **bound}


def _version_2(weight: float, quota: float | None) -> dict[str, str]:
    bound = {} if quota is None else {"cpu.max": f"{int(quota * PERIOD)} {PERIOD}"}
    return {"cpu.weight": f"{int(weight * WEIGHT)}", **bound}


def _remove(folder: Path) -> None:
    """Removes the group once its processes, which have ended, are gone from it."""
    ends = time.monotonic() + REMOVAL_SECONDS
    while True:
        try:
            folder.rmdir()
            return
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)


@contextmanager
def neighbour(weight: float) -> Generator[None]:
    """A program that always computes, in one thread, in a group of `weight` times a server's share."""
    with cpu_group("neighbour", weight) as group:
        process = subprocess.Popen((*group.prefix, sys.executable, "-c", "while True: pass"))
        try:
            yield
        finally:
            process.kill()
            process.wait()
