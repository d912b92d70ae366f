"""The files of jobs in one directory: a file that has its name is whole, and stays when the machine fails."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Final

FILES: Final = "files"
"""The directory of them, in that of jobs."""
UNFINISHED: Final = ".new"
"""The ending of a file that is being written."""
BLOCK_BYTES: Final = 1024**2
LOCK: Final = "lock"
"""Beside the directory; each process that has it open holds it, and the kernel lets go of it when that ends."""


class StoredFiles:
    """Every method blocks but `open_in_thread`."""

    def __init__(self, directory: Path) -> None:
        """Makes the directory; raises OSError where it cannot."""
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: IO[bytes]) -> None:
        """Writes what is left to read of `content`; it is on the disk, and has its name, when this returns.

        What it raises leaves nothing.
        """
        self.write_blocks(name, iter(partial(content.read, BLOCK_BYTES), b""))

    def write_blocks(self, name: str, blocks: Iterable[bytes]) -> int:
        """The same with what the blocks have; returns their bytes."""
        size = 0
        unfinished = self._directory / f"{name}{UNFINISHED}"
        try:
            with unfinished.open("wb") as file:
                for block in blocks:
                    size += file.write(block)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, self._directory / name)
            self._sync()
        except BaseException:
            unfinished.unlink(missing_ok=True)
            self.delete([name])
            raise
        return size

    def open(self, name: str) -> IO[bytes]:
        """Raises FileNotFoundError where it is deleted."""
        return (self._directory / name).open("rb")

    async def open_in_thread(self, name: str) -> IO[bytes]:
        """As `open`. A task that is cancelled meanwhile leaves no file open."""
        opening = asyncio.ensure_future(asyncio.to_thread(self.open, name))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close)
            raise

    def names(self) -> set[str]:
        """Of all files, whole ones and others."""
        return set(os.listdir(self._directory))

    def unchanged_for(self, seconds: float) -> set[str]:
        """The names of files that nobody has written for so long."""
        latest = time.time() - seconds
        found: set[str] = set()
        with os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # it was deleted meanwhile
                    if entry.stat().st_mtime <= latest:
                        found.add(entry.name)
        return found

    def delete(self, names: Collection[str]) -> None:
        """Deletes those that are there. After a failure of the machine they may be there again, and nobody's."""
        for name in names:
            (self._directory / name).unlink(missing_ok=True)

    def _sync(self) -> None:
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


class JobFiles(StoredFiles):
    """Files that processes of one machine share, the first of which may clean up."""

    def __init__(self, directory: Path) -> None:
        """Makes the directory; raises OSError where it cannot."""
        super().__init__(directory)
        self._lock = (directory.parent / LOCK).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.is_alone = True
            """Whether no other process had the directory open: a file that no job needs is nobody's."""
        except BlockingIOError:
            self.is_alone = False

    def share(self) -> None:
        """Lets other processes open the directory; to be called once."""
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def close(self) -> None:
        self._lock.close()


def _close(opening: asyncio.Future[IO[bytes]]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
