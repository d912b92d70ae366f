"""Installs the Debian packages that the node needs, where they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from testbed.locks import locked
from testbed.paths import CACHE

CNI_PLUGINS: Final = Path("/usr/lib/cni")
NODE: Final = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "openssl": "openssl",
    str(CNI_PLUGINS / "bridge"): "containernetworking-plugins",
    "busybox": "busybox-static",
}
"""Package by the program that it brings."""


def ensure(programs: Mapping[str, str]) -> None:
    """Installs the packages of the programs that are missing; raises CalledProcessError."""
    if not _missing(programs):
        return
    with locked(CACHE / "apt.lock"):
        if missing := _missing(programs):
            print(f"installing {', '.join(missing)}", file=sys.stderr, flush=True)
            if _apt_get("install", *missing).returncode:
                _apt_get("update").check_returncode()
                _apt_get("install", *missing).check_returncode()


def _missing(programs: Mapping[str, str]) -> list[str]:
    return sorted({package for program, package in programs.items() if shutil.which(program) is None})


def _apt_get(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    options = ("--yes", "--quiet", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(("apt-get", *options, *arguments), env=environment, stdout=sys.stderr, check=False)
