"""What a line of a batch asks for, who reads it (the HTTP side, whose words it has), and its recording, opened."""

from __future__ import annotations

import asyncio
import base64
import binascii
import tempfile
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol

from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import HttpError, invalid_value
from whisper_runtime.media.raw_audio import DeclaredType
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import AudioOptions, MediaFile
from whisper_runtime.service.batches.file import NoSuchFile
from whisper_runtime.service.batches.store import FileStore
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.jobs.job import Job


@dataclass(frozen=True)
class FileReference:
    """A recording that the client has uploaded."""

    field: str
    """The field of the line that names it."""
    file_id: str


@dataclass(frozen=True)
class InlineRecording:
    """A recording that is in the line itself."""

    field: str
    media_type: str
    base64: str


LineSource = FileReference | InlineRecording | RemoteFile


@dataclass(frozen=True)
class LineRequest:
    """All that the body of a line says, resolved."""

    source: LineSource
    options: Options
    audio_options: AudioOptions
    response: Mapping[str, Any]
    """JSON of the response that it asks for."""


class LineDialect(Protocol):
    def request(self, body: Mapping[str, Any], endpoint: str) -> LineRequest:
        """Raises HttpError for the first field that is wrong, as the request itself would be answered."""
        ...

    def response(self, job: Job, result: bytes) -> Any:
        """The JSON of a body that the request would have been answered with; `result` is what the job came to."""
        ...


@asynccontextmanager
async def opened(files: FileStore, source: LineSource, admitted: Admitted) -> AsyncGenerator[MediaFile | RemoteFile]:
    """The recording of a line of `admitted`, until the end of the block.

    Raises HttpError: 404 for a file that the client has not, 400 for what is not base64, 429 and 503 without room.
    """
    match source:
        case FileReference():
            with await _uploaded(files, source, admitted.client) as content:
                file = await files.file(admitted.client, source.file_id)
                with _named(source.field):
                    yield MediaFile(content, DeclaredType("", file.filename))
        case InlineRecording():
            with tempfile.TemporaryFile() as content:
                admitted.receive(len(source.base64) * 3 // 4, is_last=True)
                await asyncio.to_thread(content.write, await asyncio.to_thread(_decoded, source))
                await asyncio.to_thread(content.seek, 0)
                with _named(source.field):
                    yield MediaFile(content, DeclaredType(source.media_type, ""))
        case RemoteFile():
            yield source


async def _uploaded(files: FileStore, source: FileReference, client: str) -> IO[bytes]:
    try:
        return await files.open_file(client, source.file_id)
    except NoSuchFile:
        message = f"`{source.field}` is {source.file_id!r}, and you have no file of this id: upload it first."
        raise HttpError(404, message, param=source.field, code="file_not_found") from None


def _decoded(source: InlineRecording) -> bytes:
    try:
        return base64.b64decode("".join(source.base64.split()), validate=True)  # `base64` breaks its lines
    except (binascii.Error, ValueError):
        message = f"`{source.field}` is a data URL that is not base64: encode the recording again."
        raise invalid_value(source.field, message) from None


@contextmanager
def _named(field: str) -> Generator[None]:
    """What is wrong with the file is said of the line's own field."""
    try:
        yield
    except HttpError as error:
        raise error.renamed("file", field) from None
