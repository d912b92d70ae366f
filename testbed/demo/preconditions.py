"""Checks what the machine must offer, before anything long starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

FRESH_DISK_GIB = 45
WARM_DISK_GIB = 5
MEMORY_GIB = 8
TOOLS = {
    "apt-get": "this demo installs Debian packages: run it on Debian 12, or in a Debian 12 virtual machine",
    "python3": "apt-get install python3 python3-venv",
    "git": "apt-get install git",
    "make": "apt-get install make",
    "npm": "apt-get install npm (one recording comes from an npm package)",
    "ip": "apt-get install iproute2",
}


def missing(cache: Path, *, warm: bool) -> list[str]:
    """One sentence with a remedy for each thing that the machine lacks; empty: all is there."""
    return list(_missing(cache, FRESH_DISK_GIB if not warm else WARM_DISK_GIB))


def _missing(cache: Path, disk_gib: int) -> Iterator[str]:
    if os.geteuid() != 0:
        yield "not root: containerd, the kubelet and iptables need it; run `sudo make demo`"
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free / 1024**3
    if free < disk_gib:
        yield f"{free:.0f} GiB free at {cache}, {disk_gib} needed: free some, or set WHISPER_OPERATOR_CACHE"
    if (memory := _memory_gib()) < MEMORY_GIB:
        yield f"{memory:.0f} GiB of memory, {MEMORY_GIB} needed"
    for tool, remedy in TOOLS.items():
        if shutil.which(tool) is None:
            yield f"{tool} is not on the PATH: {remedy}"


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
