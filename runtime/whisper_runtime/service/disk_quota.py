"""The one disk that requests may use: how much of it is taken, and what happens when it is full.

It is the directory of temporary files (TMPDIR, /tmp by default). Whatever lies in it has no name, so nothing can be
left behind in it, not even by a crash.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

from whisper_runtime.contract.files import SCRATCH_DIR
from whisper_runtime.errors import ApiError


class Reservation:
    """Bytes that one user of the disk may fill."""

    def __init__(self, scratch: Scratch, size: int) -> None:
        self._scratch = scratch
        self.size = size

    def shrink(self, size: int) -> None:
        """Gives back what turned out not to be needed."""
        self._scratch.used -= self.size - size
        self.size = size


class Scratch:
    """Counts bytes in the event loop's thread; see `RuntimeConfig.max_scratch_bytes`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    @contextmanager
    def reserved(self, size: int) -> Generator[Reservation, None, None]:
        """`size` bytes until the end of the block; raises ApiError (503) where they are not free now."""
        if self.used + size > self.limit:
            raise _no_room()
        self.used += size
        reservation = Reservation(self, size)
        try:
            yield reservation
        finally:
            reservation.shrink(0)


def _no_room() -> ApiError:
    message = "There are too many uploads and recordings on the disk now: try again in a second."
    return ApiError(503, message, code="scratch_full", headers={"Retry-After": "1"})


def unusable() -> str | None:
    """Why no upload could be kept; None: they can. Where TMPDIR is no good, Python writes elsewhere in silence."""
    directory = os.environ.get("TMPDIR") or SCRATCH_DIR
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        return f"TMPDIR is {directory}, where no upload can be written ({error.strerror}): mount a writable directory"
    return None
