"""One uploaded file on its way to text: disk, decoder, queue, model. It ends when the client or the time does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Final, TypeVar

from fastapi import UploadFile
from starlette.requests import Request

from whisper_runtime.engine.interface import OutOfMemory, Samples
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.errors import ApiError, ClientGone
from whisper_runtime.http.sse import Live
from whisper_runtime.media.decode import BYTES_PER_SECOND, AudioError
from whisper_runtime.service.admission import deadline, longest_now, queue_full, too_long
from whisper_runtime.service.client_identity import client_of
from whisper_runtime.service.state import Serving

T = TypeVar("T")

SAMPLE_RATE: Final = 16_000
DECODE_SECONDS: Final = 120.0
"""The longest that a decoder may work on one file."""
OUT_OF_MEMORY_RETRY_AFTER: Final = 10
"""Seconds; whatever else holds the memory does not hold it for ever."""
BAD_AUDIO: Final = {
    "NotAudio": "not_audio",
    "Empty": "empty_file",
    "NoAudioTrack": "no_audio_track",
    "TooManyStreams": "too_many_streams",
    "Damaged": "damaged_file",
    "TimedOut": "decoding_too_slow",
}
"""OpenAI's `code` for each reason why a file is refused."""


async def transcribe(
    serving: Serving, request: Request, file: UploadFile, options: Options, live: Live | None = None
) -> Transcription:
    """What was said in `file`; raises ApiError for a bad file, a full queue, or no answer within the time allowed.

    `live` is told once the request has its place in the queue, and then of its segments.
    """
    started = time.perf_counter()
    try:
        async with asyncio.timeout(serving.config.request_timeout_seconds):
            found = await _unless_gone(request, _through_the_model(serving, request, file, options, live))
    except TimeoutError:
        raise _out_of_time() from None
    serving.metrics.transcribed(found, time.perf_counter() - started)
    return found


async def _through_the_model(
    serving: Serving, request: Request, file: UploadFile, options: Options, live: Live | None
) -> Transcription:
    engine, config, client = serving.engine, serving.config, client_of(request.scope)
    longest = longest_now(engine.long_speed, config.request_timeout_seconds, config.max_audio_seconds)
    with ExitStack() as held:
        samples = await _decoded(serving, file, longest, held)
        try:
            seconds, queued = len(samples) / SAMPLE_RATE, engine.queued_audio_seconds
            serving.rates.heard(client, seconds)
            if error := queue_full(queued, seconds, engine.speed, serving.queue_limit) or serving.places.share_full(
                client, seconds, engine.speed, serving.queue_limit
            ):
                raise error
            held.enter_context(serving.places.taken(client, seconds))
            async with asyncio.timeout(deadline(seconds, queued, engine.speed, config.request_timeout_seconds)):
                future = engine.submit(samples, options, live and live.on_segments)
                if live is not None:
                    live.accepted.set()
                return await _finished(future)
        finally:
            del samples  # or a traceback keeps this frame, and the recording on the disk, until garbage is collected


async def _finished(future: Future[Transcription]) -> Transcription:
    try:
        return await asyncio.wrap_future(future)  # cancelling this cancels `future`, which gives the place back
    except OutOfMemory:
        message = "The device has no memory for this recording now: try again later, or send it in shorter parts."
        headers = {"Retry-After": str(OUT_OF_MEMORY_RETRY_AFTER)}
        raise ApiError(503, message, code="out_of_memory", headers=headers) from None
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) and task.cancelling():
            raise
        message = "The server stopped before this was transcribed: try again, and another replica will answer."
        raise ApiError(503, message, code="shutting_down", headers={"Retry-After": "1"}) from None


async def _decoded(serving: Serving, file: UploadFile, longest: float, held: ExitStack) -> Samples:
    """The file's samples, whose disk is given back when `held` ends.

    Raises ApiError where the file is no audio, or longer than `longest` seconds.
    """
    config = serving.config
    async with serving.decoders.one():
        disk = held.enter_context(serving.scratch.reserved(int(longest * BYTES_PER_SECOND)))
        started = time.perf_counter()
        try:
            samples = await serving.decode(file.file, max_seconds=longest, timeout=DECODE_SECONDS)
        except AudioError as error:
            if error.reason == "TooLong":
                raise too_long(longest, config.max_audio_seconds, config.request_timeout_seconds) from None
            raise ApiError(400, error.message, param="file", code=BAD_AUDIO[error.reason]) from None
        finally:
            serving.metrics.stage("decode", time.perf_counter() - started)
        disk.shrink(samples.nbytes)
        return samples


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


def _out_of_time() -> ApiError:
    """504, as a proxy would say; 408 would blame the client's sending, and its library would send again."""
    message = "The transcription was not done in the time allowed for its length: send a shorter recording."
    return ApiError(504, message, code="request_timeout")
