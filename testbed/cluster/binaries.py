"""Finds, downloads or builds the cluster's binaries, and keeps them by version outside the checkout."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from testbed.cluster import golang, release
from testbed.cluster.tools import OF_NEIGHBOURS, TOOLS, GoTool
from testbed.locks import locked
from testbed.paths import CACHE

BIN = CACHE / "bin"
PROBE_SECONDS = 10


def ensure(*names: str) -> Path:
    """The directory that holds the named binaries in their pinned versions; without names all but the neighbours'."""
    wanted = [TOOLS[name] for name in names or TOOLS.keys() - OF_NEIGHBOURS]
    view = BIN / f"view-{hashlib.sha256(''.join(tool.key for tool in TOOLS.values()).encode()).hexdigest()[:12]}"
    if all((view / tool.name).exists() for tool in wanted):
        return view
    view.mkdir(parents=True, exist_ok=True)
    with locked(BIN / "lock"):
        for _, group in groupby(wanted, key=lambda tool: tool.module):
            _obtain(list(group), view)
    return view


def _obtain(tools: Iterable[GoTool], view: Path) -> None:
    """From the machine, else from the release, else built; what is built of one module is built together."""
    unbuilt: list[GoTool] = []
    for tool in tools:
        kept = BIN / f"{tool.name}-{tool.key}"
        source = kept if kept.exists() else on_machine(tool)
        if source is None and tool.release and release.download(tool.release, _partial(kept)):
            source = _partial(kept).rename(kept)
        if source is None:
            unbuilt.append(tool)
        else:
            _link(view / tool.name, source)
    if unbuilt:
        directory = BIN / "building"
        directory.mkdir(exist_ok=True)
        golang.build(unbuilt, directory)
        for tool in unbuilt:
            _link(view / tool.name, (directory / tool.name).rename(BIN / f"{tool.name}-{tool.key}"))


def on_machine(tool: GoTool) -> Path | None:
    """The machine's own binary, where it says that it is exactly the pinned version."""
    if tool.release is None:
        return None
    directories = [*filter(None, [os.environ.get("KUBEBUILDER_ASSETS")]), *os.get_exec_path()]
    for directory in directories:
        if (found := shutil.which(tool.name, path=directory)) and tool.version.lstrip("v") in _says(found, tool.probe):
            return Path(found)
    return None


def _says(program: str, arguments: tuple[str, ...]) -> str:
    try:
        return subprocess.run(
            (program, *arguments), capture_output=True, text=True, check=False, timeout=PROBE_SECONDS
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def _link(link: Path, target: Path) -> None:
    """Relative within the cache, so that a copy of it works for another user."""
    link.unlink(missing_ok=True)
    link.symlink_to(Path("..") / target.name if target.parent == BIN else target)
