"""The recording that a line of a batch names, opened."""

from __future__ import annotations

import asyncio
import base64
import binascii
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import IO

from whisper_runtime.errors import HttpError, invalid_value
from whisper_runtime.media.raw_audio import DeclaredType
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import MediaFile
from whisper_runtime.service.batches.file import NoSuchFile
from whisper_runtime.service.batches.line_request import FileReference, InlineRecording, LineSource
from whisper_runtime.service.batches.store import FileStore
from whisper_runtime.service.downloads import RemoteFile


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
        return base64.b64decode(source.base64, validate=True)
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
