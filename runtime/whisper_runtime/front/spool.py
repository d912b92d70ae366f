"""The bytes of a request, on disk: they are kept until a server has answered, so that another can be given the same."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from typing import IO, Final, TypeVar

from starlette.types import Receive

from whisper_runtime.service.disk_quota import FULL, disk_full

PIECE_BYTES: Final = 64 * 1024
"""That are written at once: of what is still coming, no request has more in memory. What has no more than this is
written and read without a thread, which would take longer than either."""
SENT_BYTES: Final = 256 * 1024
"""That are read and sent at once, by the few requests of which that is done at a time."""

T = TypeVar("T")


class SpooledBody:
    """One body, in a file without a name: nothing is left of it, not even by a crash."""

    def __init__(self, directory: str | None) -> None:
        self._directory = directory
        self._file: IO[bytes] | None = None
        self.size = 0

    async def receive(self, receive: Receive, on_bytes: Callable[[int], None]) -> None:
        """Reads the body to its end, and reports the size of each part. Raises HttpError: 503 for a full disk."""
        waiting, more = bytearray(), True
        while more:
            message = await receive()
            part, more = message.get("body", b""), message.get("more_body", False)
            waiting += part
            self.size += len(part)
            on_bytes(len(part))
            if len(waiting) >= PIECE_BYTES or (waiting and not more):
                await self._write(waiting)
                waiting = bytearray()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body from its beginning; one reader at a time."""
        offset = 0
        while offset < self.size:
            piece = await self._piece(offset)
            offset += len(piece)
            yield piece

    async def read(self, reader: Callable[[IO[bytes]], T]) -> T:
        """What `reader` makes of the file, in a thread; the body is not empty."""
        assert self._file is not None
        return await asyncio.to_thread(reader, self._file)

    def close(self) -> None:
        """Gives the disk back; waits for a thread that is reading."""
        if self._file is not None:
            self._file.close()

    async def _piece(self, offset: int) -> bytes:
        most = min(SENT_BYTES, self.size - offset)
        if self.size <= PIECE_BYTES and self._file is not None:
            return _piece(self._file, offset, most)
        return await self.read(lambda file: _piece(file, offset, most))

    async def _write(self, data: bytearray) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 - `close` does
            if self.size <= PIECE_BYTES:
                _append(self._file, data)
            else:
                await asyncio.to_thread(_append, self._file, data)
        except OSError as error:
            if error.errno in FULL:
                raise disk_full() from None
            raise


@contextmanager
def spooled_body(directory: str | None) -> Generator[SpooledBody]:
    """An empty body in that directory, until the block ends; None: TMPDIR."""
    body = SpooledBody(directory)
    try:
        yield body
    finally:
        body.close()


def spool_problem(directory: str | None) -> str | None:
    """The reason why nothing can be kept in that directory; None: it can. `directory` None: TMPDIR."""
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        where = f"WHISPER_SPOOL_DIR is {directory}" if directory else "No directory for temporary files"
        return f"{where}, where no upload can be written ({error.strerror}): mount a writable directory"
    return None


def _append(file: IO[bytes], data: bytearray) -> None:
    file.write(data)
    file.flush()


def _piece(file: IO[bytes], start: int, most: int) -> bytes:
    """At most so many bytes, for which memory is taken before they are read."""
    file.seek(start)
    if not (piece := file.read(most)):
        raise OSError(f"the spool's file ends at {start} bytes")
    return piece
