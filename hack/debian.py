"""What the node needs from Debian: installed where it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

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
    missing = sorted({package for program, package in programs.items() if shutil.which(program) is None})
    if not missing:
        return
    print(f"installing {', '.join(missing)}", file=sys.stderr, flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing)
    if subprocess.run(install, env=quiet, stdout=sys.stderr, check=False).returncode:
        subprocess.run(("apt-get", "update", "--quiet"), env=quiet, stdout=sys.stderr, check=True)
        subprocess.run(install, env=quiet, stdout=sys.stderr, check=True)
