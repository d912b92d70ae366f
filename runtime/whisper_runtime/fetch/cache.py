"""The directory of checkpoints: what is in it, what is set aside, and how a file gets its name."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import Final

from whisper_runtime.contract import FILES_TOLD, NO_SPACE
from whisper_runtime.fetch.failure import FetchError

QUARANTINE: Final = ".quarantine"
"""Holds the last file that was wrong, for whoever wants to see why; it goes when its space is needed."""

log = logging.getLogger(__name__)


def partial_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.partial")


def lock_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.lock")


def publish(partial: Path, target: Path) -> None:
    """Gives a checked file its name; readers see all of it or nothing. Raises OSError."""
    partial.rename(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def quarantine(path: Path) -> None:
    """Takes a wrong file away from where it could be used; processes that have it open keep it. Raises OSError."""
    aside = path.parent / QUARANTINE
    _empty(aside)
    aside.mkdir(exist_ok=True)
    path.rename(aside / path.name.lstrip(".").removesuffix(".partial"))
    log.warning("%s is wrong and was moved to %s", path.name, aside)


def make_room(directory: Path, needed: int) -> None:
    """Raises FetchError where `needed` bytes do not fit, after what nobody needs has gone."""
    if shutil.disk_usage(directory).free < needed:
        _drop_leavings(directory)
    free = shutil.disk_usage(directory).free
    if free >= needed:
        return
    there = checkpoints(directory)
    holds = ", ".join(f"{name} ({size} bytes)" for name, size in there.items()) or "no checkpoint"
    raise FetchError(
        NO_SPACE,
        f"{directory} is full: {needed} bytes are needed, {free} are free, {needed - free} are missing; "
        f"it holds {holds}: raise spec.cache.size, or remove what nobody serves",
        files=there,
    )


def checkpoints(directory: Path) -> dict[str, int]:
    """Size in bytes of each checkpoint, largest first, at most FILES_TOLD."""
    found = {file.name: file.stat().st_size for file in directory.glob("[!.]*.pt") if file.is_file()}
    return dict(sorted(found.items(), key=lambda item: -item[1])[:FILES_TOLD])


def _drop_leavings(directory: Path) -> None:
    """Removes what was set aside, and downloads that nobody goes on with."""
    _empty(directory / QUARANTINE)
    for partial in directory.glob(".*.partial"):
        if not partial.with_name(partial.name.removesuffix(".partial") + ".lock").exists():
            partial.unlink(missing_ok=True)


def _empty(directory: Path) -> None:
    if directory.is_dir():
        shutil.rmtree(directory)
