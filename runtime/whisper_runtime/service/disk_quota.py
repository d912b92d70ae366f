"""The disk that requests share: how much of it is reserved, and the refusal when it is full.

It is the directory of temporary files (TMPDIR, /tmp by default). The files in it have no name, so that nothing is left
behind in it, not even by a crash.
"""

from __future__ import annotations

import os
import tempfile
from typing import Self

from whisper_runtime.contract.files import SCRATCH_DIR
from whisper_runtime.errors import unavailable


class Reservation:
    """Bytes of the disk that one upload or recording may fill, until its `with` block ends."""

    def __init__(self, quota: DiskQuota, size: int) -> None:
        self._quota = quota
        self.size = size

    def shrink(self, size: int) -> None:
        """Gives back all but `size` bytes."""
        self._quota.used -= self.size - size
        self.size = size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shrink(0)


class DiskQuota:
    """Counts reserved bytes, in the event loop's thread; see `RuntimeConfig.max_scratch_bytes`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    def reserve(self, size: int) -> Reservation:
        """Reserves `size` bytes; raises HttpError (503) where they are not free now."""
        if self.used + size > self.limit:
            message = "The server's disk for uploads and recordings is full: try again in a second."
            raise unavailable(message, "scratch_full", 1)
        self.used += size
        return Reservation(self, size)


def scratch_dir_problem() -> str | None:
    """The reason why uploads cannot be written; None: they can. Python silently avoids such a TMPDIR."""
    directory = os.environ.get("TMPDIR") or SCRATCH_DIR
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        return f"TMPDIR is {directory}, where no upload can be written ({error.strerror}): mount a writable directory"
    return None
