"""The directory of checkpoints: its files, its quarantine, its free space, and how a file gets its name."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from whisper_runtime.contract.reports import CACHE_NOT_WRITABLE, MAX_FILES, NO_SPACE
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.lock import LOCK_TIMES

QUARANTINE: Final = ".quarantine"
"""Holds the last wrong file, for people who want to see why; it is removed when its space is needed."""

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

log = logging.getLogger(__name__)


def partial_path(target: Path) -> Path:
    return target.with_name(f".{target.name}.partial")


def lock_path(target: Path) -> Path:
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
    """Moves a wrong file, a checkpoint or a partial one, out of use; processes that have it open keep it.

    Raises OSError.
    """
    aside = path.parent / QUARANTINE
    _remove_directory(aside)
    aside.mkdir(exist_ok=True)
    path.rename(aside / path.name.lstrip(".").removesuffix(".partial"))
    log.warning("%s is wrong and was moved to %s", path.name, aside)


def restore_from_quarantine(target: Path, partial: Path, is_right: Callable[[Path], bool]) -> None:
    """Moves the quarantined file to `partial` where its bytes are right, and only its content is not a checkpoint.

    Another download would bring the same bytes; a newer runtime may find them loadable. Raises OSError.
    """
    aside = target.parent / QUARANTINE / target.name
    if aside.is_file() and is_right(aside):
        aside.rename(partial)


def make_room(directory: Path, needed: int) -> None:
    """Removes leftovers where `needed` bytes do not fit; raises FetchError where they still do not."""
    if shutil.disk_usage(directory).free < needed:
        _remove_leftovers(directory)
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise _full(directory, f"{needed} bytes are needed, {free} are free, {needed - free} are missing")


def cache_error(directory: Path, error: OSError) -> FetchError:
    """Returns the meaning of an error of the cache's file system."""
    if error.errno in FULL:
        return _full(directory, "no more can be written")
    return FetchError(
        CACHE_NOT_WRITABLE,
        f"{directory} cannot be written ({error.strerror or type(error).__name__}): set spec.podTemplate.spec."
        "securityContext (fsGroup, supplementalGroups or runAsUser) to a group or user that may write to the volume",
    )


def checkpoints(directory: Path, most: int = MAX_FILES) -> dict[str, int]:
    """Returns the size in bytes of each checkpoint, largest first, at most so many."""
    found = {file.name: file.stat().st_size for file in directory.glob("[!.]*.pt") if file.is_file()}
    return dict(sorted(found.items(), key=lambda item: -item[1])[:most])


def _full(directory: Path, shortage: str) -> FetchError:
    files = checkpoints(directory)
    holds = ", ".join(f"{name} ({size} bytes)" for name, size in files.items()) or "no checkpoint"
    remedy = "raise spec.cache.size, or remove checkpoints that no service uses"
    return FetchError(NO_SPACE, f"{directory} is full: {shortage}; it holds {holds}: {remedy}", files=files)


def _remove_leftovers(directory: Path) -> None:
    """Removes the quarantine, and partial files that no fetch works on: those without a lock, or with a stale one.

    The newest lock tells the time by the volume's own clock: the caller holds it, and keeps moving it.
    """
    _remove_directory(directory / QUARANTINE)
    moved = {file.name.removesuffix(".lock"): file.stat().st_mtime for file in directory.glob(".*.lock")}
    for partial in directory.glob(".*.partial"):
        since = moved.get(partial.name.removesuffix(".partial"))
        if since is None or max(moved.values()) - since > LOCK_TIMES.stale:
            partial.unlink(missing_ok=True)


def _remove_directory(directory: Path) -> None:
    if directory.is_dir():
        shutil.rmtree(directory)
