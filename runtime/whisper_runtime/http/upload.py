"""The transcription of one recording, which ends as soon as its client hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from starlette.requests import Request

from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.errors import ClientGone
from whisper_runtime.http.request_state import state_of
from whisper_runtime.service.audio_loading import AudioOptions, MediaFile
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.result_cache.cached_transcriber import CachedTranscriber
from whisper_runtime.service.transcribe import SegmentStream, Transcriber

T = TypeVar("T")


async def transcribe_upload(
    transcriber: Transcriber | CachedTranscriber,
    request: Request,
    source: MediaFile | RemoteFile,
    options: Options,
    audio_options: AudioOptions,
    stream: SegmentStream | None = None,
) -> Transcription:
    """The transcription of `source`, counted for the sender of `request`.

    `stream` gets the segments as they become final; None: only the whole is wanted. Raises HttpError, and ClientGone
    where the client hangs up.
    """
    admitted = state_of(request.scope).admitted
    assert admitted is not None  # each route that takes a recording is behind the middleware that admits
    return await unless_gone(request, transcriber.transcribe(source, admitted, options, stream, audio_options))


async def unless_gone(request: Request, work: Coroutine[None, None, T]) -> T:
    """The result of `work`; cancels it and raises ClientGone as soon as the client has hung up."""
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        task.cancel()
        watch.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)  # until it has let go of file and place


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
