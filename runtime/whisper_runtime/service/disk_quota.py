"""The disk that requests share: how much of it is reserved, and the refusal when it is full.

It is the directory of temporary files (TMPDIR, /tmp by default). The files in it have no name, so that nothing is left
behind in it, not even by a crash.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from typing import Final, Self

from whisper_runtime.contract.files import SCRATCH_DIR
from whisper_runtime.errors import HttpError, too_many_requests, unavailable

STEP: Final = 1024**2
"""Bytes that are reserved at once for what is still coming: nothing is, for what is only announced."""
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The numbers of the errors of a file system that has no room."""


class Reservation:
    """Bytes of the disk that one upload or recording fills, until its `with` block ends."""

    def __init__(self, quota: DiskQuota, client: str, beside: Reservation | None = None) -> None:
        self._quota = quota
        self.client = client
        self.beside = beside
        self.size = 0

    def cover(self, size: int, most: int | None = None) -> None:
        """Reserves at least `size` bytes in all, and where there is room up to the next step, but no more than `most`.

        Raises HttpError: 503 where they are not free now, 429 where the client's other files leave it no more.
        """
        if size > self.size:
            ahead = min(-(-size // STEP) * STEP, self.size + self._quota.limit - self._quota.used)
            self._quota.add(self, max(size, ahead if most is None else min(ahead, most)) - self.size)

    def set(self, size: int) -> None:
        """Reserves exactly `size` bytes; raises HttpError as `cover` does where they are more than before."""
        self._quota.add(self, size - self.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.set(0)


class DiskQuota:
    """Counts reserved bytes, in the event loop's thread; see `RuntimeConfig.max_scratch_bytes`.

    The more of the disk is taken, the less of it one client may have: no more than it leaves to others. Its first file
    may take all that is free.
    """

    def __init__(self, limit: int, seconds_until_room: Callable[[], int] = lambda: 1) -> None:
        """`seconds_until_room`: after which a client that found none may try again."""
        self.limit = limit
        self._seconds_until_room = seconds_until_room
        self.used = 0
        self._by_client = Counter[str]()

    def reservation(self, client: str, beside: Reservation | None = None) -> Reservation:
        """A reservation of nothing yet; `beside`: of the samples of a file, that of its upload."""
        return Reservation(self, client, beside)

    def add(self, of: Reservation, size: int) -> None:
        """Reserves `size` bytes more for a reservation, or gives them back; raises HttpError, and then reserves none.

        A passing state, whoever caused it: 503 where the disk is full, 429 where the client itself has filled its part.
        """
        if size > 0 and (error := self._refusal(of, size)):
            raise error
        of.size += size
        self.used += size
        self._by_client[of.client] += size
        if not self._by_client[of.client]:
            del self._by_client[of.client]

    def _refusal(self, of: Reservation, size: int) -> HttpError | None:
        left, held = self.limit - self.used - size, self._by_client[of.client]
        if left < 0:
            return disk_full(self._seconds_until_room())
        of_this_file = of.size + (of.beside.size if of.beside else 0)
        if held > of_this_file and held + size > left:
            again = self._seconds_until_room()
            message = f"Your uploads and recordings take {held} bytes of the server's disk: try again in {again} s."
            return too_many_requests(message, "client_scratch_full", again)
        return None


def disk_full(again: int = 1) -> HttpError:
    """503 for what finds no room on the disk now, and may try again after so many seconds."""
    message = f"The server's disk for uploads and recordings is full: try again in {again} s."
    return unavailable(message, "scratch_full", again)


def scratch_dir_problem() -> str | None:
    """The reason why uploads cannot be written; None: they can. Python silently avoids such a TMPDIR."""
    directory = os.environ.get("TMPDIR") or SCRATCH_DIR
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        return f"TMPDIR is {directory}, where no upload can be written ({error.strerror}): mount a writable directory"
    return None
