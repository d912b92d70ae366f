"""The directory of checkpoints: what is in it, what is set aside, and how a file gets its name."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from pathlib import Path
from typing import Final

from whisper_runtime.contract.reports import CACHE_NOT_WRITABLE, FILES_TOLD, NO_SPACE
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.lock import STALE_SECONDS
from whisper_runtime.fetch.partial import sha256_of

QUARANTINE: Final = ".quarantine"
"""Holds the last file that was wrong, for whoever wants to see why; it goes when its space is needed."""

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

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


def take_back(target: Path, partial: Path, digest: str) -> None:
    """Gives what was set aside another try where it is the right file, and only its content is no checkpoint.

    To download it again would change nothing, but for the traffic; a newer runtime may judge otherwise. Raises OSError.
    """
    aside = target.parent / QUARANTINE / target.name
    if aside.is_file() and sha256_of(aside) == digest:
        aside.rename(partial)


def make_room(directory: Path, needed: int) -> None:
    """Raises FetchError where `needed` bytes do not fit, after what nobody needs has gone."""
    if shutil.disk_usage(directory).free < needed:
        _drop_leavings(directory)
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise _full(directory, f"{needed} bytes are needed, {free} are free, {needed - free} are missing")


def failed(directory: Path, error: OSError) -> FetchError:
    """What an error of the cache's file system means."""
    if error.errno in FULL:
        return _full(directory, "no more can be written")
    return FetchError(
        CACHE_NOT_WRITABLE,
        f"{directory} cannot be written ({error.strerror or type(error).__name__}): is the volume there, writable, "
        "and its files of the pods' group?",
    )


def _full(directory: Path, shortage: str) -> FetchError:
    there = checkpoints(directory)
    holds = ", ".join(f"{name} ({size} bytes)" for name, size in there.items()) or "no checkpoint"
    message = f"{directory} is full: {shortage}; it holds {holds}: raise spec.cache.size, or remove what nobody serves"
    return FetchError(NO_SPACE, message, files=there)


def checkpoints(directory: Path) -> dict[str, int]:
    """Size in bytes of each checkpoint, largest first, at most FILES_TOLD."""
    found = {file.name: file.stat().st_size for file in directory.glob("[!.]*.pt") if file.is_file()}
    return dict(sorted(found.items(), key=lambda item: -item[1])[:FILES_TOLD])


def _drop_leavings(directory: Path) -> None:
    """Removes what was set aside, and downloads that nobody goes on with: without a lock, or with a stale one.

    The newest lock tells the time by the volume's own clock: it is the one that we hold, and keep moving.
    """
    _empty(directory / QUARANTINE)
    moved = {file.name.removesuffix(".lock"): file.stat().st_mtime for file in directory.glob(".*.lock")}
    for partial in directory.glob(".*.partial"):
        since = moved.get(partial.name.removesuffix(".partial"))
        if since is None or max(moved.values()) - since > STALE_SECONDS:
            partial.unlink(missing_ok=True)


def _empty(directory: Path) -> None:
    if directory.is_dir():
        shutil.rmtree(directory)
