"""One uploaded file on its way to text: disk, decoder, queue, model. It ends when the client or the time does."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Coroutine
from typing import Final, TypeVar

from fastapi import UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from whisper_runtime.admission import queue_full
from whisper_runtime.audio import AudioError
from whisper_runtime.contract import SCRATCH_DIR, RuntimeConfig
from whisper_runtime.engine.protocol import Samples
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.errors import ApiError, ClientGone
from whisper_runtime.serving import Serving
from whisper_runtime.streaming import Live

T = TypeVar("T")

SAMPLE_RATE: Final = 16_000
DECODE_SECONDS: Final = 120.0
"""The longest that a decoder may work on one file."""


async def transcribe(
    serving: Serving, request: Request, file: UploadFile, options: Options, live: Live | None = None
) -> Transcription:
    """What was said in `file`; raises ApiError for a bad file, a full queue, or no answer within the time allowed.

    `live` is told once the request has its place in the queue, and then of its segments.
    """
    started = time.perf_counter()
    try:
        async with asyncio.timeout(serving.config.request_timeout_seconds):
            found = await _unless_gone(request, _through_the_model(serving, file, options, live))
    except TimeoutError:
        raise _out_of_time(serving.config) from None
    serving.metrics.transcribed(found, time.perf_counter() - started)
    return found


async def _through_the_model(serving: Serving, file: UploadFile, options: Options, live: Live | None) -> Transcription:
    samples = await _decoded(serving, file)
    engine, limit = serving.engine, serving.config.max_queued_audio_seconds
    if error := queue_full(engine.queued_audio_seconds, len(samples) / SAMPLE_RATE, engine.speed, limit):
        raise error
    future = engine.submit(samples, options, live and live.on_segments)
    if live is not None:
        live.accepted.set()
    try:
        return await asyncio.wrap_future(future)  # cancelling this cancels `future`, which gives the place back
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) and task.cancelling():
            raise
        message = "The server stopped before this was transcribed: try again, and another replica will answer."
        raise ApiError(503, message, code="shutting_down", headers={"Retry-After": "1"}) from None


async def _decoded(serving: Serving, file: UploadFile) -> Samples:
    """The file's samples. The decoder is a process of its own and wants a path, so the upload gets one meanwhile."""
    async with serving.decoders:
        with tempfile.NamedTemporaryFile(dir=SCRATCH_DIR, prefix="upload-") as named:
            await run_in_threadpool(shutil.copyfileobj, file.file, named)
            await run_in_threadpool(named.flush)
            try:
                return await serving.decode(
                    named.name, max_seconds=serving.config.max_audio_seconds, timeout=DECODE_SECONDS
                )
            except AudioError as error:
                raise _bad_audio(error) from None


async def _unless_gone(request: Request, work: Coroutine[None, None, T]) -> T:
    """What `work` gives; cancels it and raises ClientGone as soon as the client has hung up."""
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


def _bad_audio(error: AudioError) -> ApiError:
    status, code = {
        "NotAudio": (400, "not_audio"),
        "Empty": (400, "empty_file"),
        "TooLong": (413, "audio_too_long"),
        "TimedOut": (400, "decoding_too_slow"),
    }[error.reason]
    return ApiError(status, error.message, param="file", code=code)


def _out_of_time(config: RuntimeConfig) -> ApiError:
    """504, as a proxy would say; 408 would blame the client's sending, and its library would send again."""
    message = (
        f"There was no answer within {config.request_timeout_seconds} s, the longest that this server allows: "
        "send a shorter recording."
    )
    return ApiError(504, message, code="request_timeout")
