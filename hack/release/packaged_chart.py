"""The chart as helm packages it, but the same from each machine: `helm package` writes the time into it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hack.release import archive
from testbed.paths import REPOSITORY

NAME: Final = "whisper-operator"
CHART: Final = REPOSITORY / "charts" / NAME


def package(folder: Path, version: str, modified: int) -> Path:
    """Path of `NAME-VERSION.tgz` in `folder`, the chart as of the time `modified`."""
    target = folder / f"{NAME}-{version}.tgz"
    archive.write_tgz(target, {f"{NAME}/{name}": file for name, file in archive.tree(CHART).items()}, modified)
    return target
