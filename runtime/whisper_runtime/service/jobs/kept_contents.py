"""Where the contents of jobs and of clients' files are that several machines share: beside them, or as files."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Collection
from contextlib import suppress
from typing import IO, Final, Protocol

from whisper_runtime.service.disk_quota import FULL
from whisper_runtime.service.jobs.files import StoredFiles
from whisper_runtime.service.jobs.job import JobStoreFull
from whisper_runtime.service.jobs.rows import DISK_FULL

MOST_BESIDE_BYTES: Final = 8 * 1024**2
"""Of one recording, result or file that is kept beside its job: a larger value would hold up the store, and its
replicas."""
FILE_ENDING: Final = ".file"
"""Of the name of a client's file: its id is before it."""


class KeptContents(Protocol):
    async def keep(self, name: str, content: IO[bytes]) -> bytes:
        """Keeps what is left to read; returns what is to be kept beside the job: b"" where that is nothing.

        Raises JobStoreFull.
        """
        ...

    async def open(self, name: str, beside: bytes) -> IO[bytes]:
        """A file of the operating system's; `beside`: what is kept beside the job.

        Raises FileNotFoundError where it was deleted.
        """
        ...

    async def delete(self, names: Collection[str]) -> None:
        """What is kept beside a job goes with that."""
        ...

    async def unchanged_for(self, seconds: float) -> set[str]:
        """Names that nobody has written for so long, of what is kept elsewhere."""
        ...


def unnamed_file() -> IO[bytes]:
    """An empty file of the operating system's, as ffmpeg must be given one; it goes when it is closed."""
    return tempfile.TemporaryFile()


async def file_of(content: bytes) -> IO[bytes]:
    """The same with that content, to be read from its beginning."""
    file = unnamed_file()
    await asyncio.to_thread(file.write, content)
    file.seek(0)
    return file


class BesideJobs:
    """Keeps all of them beside their jobs, in the memory of the store."""

    async def keep(self, name: str, content: IO[bytes]) -> bytes:
        found = await asyncio.to_thread(content.read, MOST_BESIDE_BYTES + 1)
        if len(found) > MOST_BESIDE_BYTES:
            raise JobStoreFull(
                f"The server's store takes jobs and files of up to {MOST_BESIDE_BYTES} bytes, which are some eight "
                "minutes of a job's speech: send this one in parts, or a job without `Prefer: respond-async`."
            )
        return found

    async def open(self, name: str, beside: bytes) -> IO[bytes]:
        if not beside:
            raise FileNotFoundError(name)
        return await file_of(beside)

    async def delete(self, names: Collection[str]) -> None:
        pass

    async def unchanged_for(self, seconds: float) -> set[str]:
        return set()


class SharedFiles:
    """Keeps them as files in a directory that all machines have mounted."""

    def __init__(self, files: StoredFiles) -> None:
        self._files = files

    async def keep(self, name: str, content: IO[bytes]) -> bytes:
        try:
            await asyncio.to_thread(self._files.write, name, content)
        except OSError as error:
            raise (JobStoreFull(DISK_FULL) if error.errno in FULL else error) from error
        return b""

    async def open(self, name: str, beside: bytes) -> IO[bytes]:
        return await self._files.open_in_thread(name)

    async def delete(self, names: Collection[str]) -> None:
        with suppress(OSError):  # it is nobody's now, and is found when what is old is looked at
            await asyncio.to_thread(self._files.delete, names)

    async def unchanged_for(self, seconds: float) -> set[str]:
        return await asyncio.to_thread(self._files.unchanged_for, seconds)
