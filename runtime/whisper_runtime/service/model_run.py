"""One run of the model over a recording, or over each of its channels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Final

from whisper_runtime.engine.interface import (
    Engine,
    IsBackground,
    OnBegun,
    OnProgress,
    OnSegments,
    OutOfMemory,
    in_foreground,
)
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.errors import stopped, unavailable
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.service import tracing
from whisper_runtime.service.audio_loading import LoadedAudio
from whisper_runtime.service.turns import merged

OUT_OF_MEMORY_RETRY_AFTER: Final = 10
"""Seconds; another request holds the memory, and will end."""
LANGUAGE_OF_SILENCE: Final = "en"
"""Of a recording without speech whose language nobody names: an answer has one."""


async def run_model(
    engine: Engine,
    loaded: Sequence[LoadedAudio],
    options: Options,
    *,
    separate_channels: bool,
    on_segments: OnSegments,
    on_progress: OnProgress | None,
    on_begun: OnBegun,
    client: str,
    is_background: IsBackground = in_foreground,
) -> Transcription:
    """What the model makes of a recording, or of its channels, as Engine.submit; cancelling the task ends its work.

    `on_progress` gets the seconds of all channels together. Raises HttpError (503), or what failed.
    """
    progress_of = _together(on_progress)
    futures = [
        _submit(
            engine,
            one,
            options,
            on_segments,
            client=client,
            on_progress=progress_of(number),
            on_begun=on_begun,
            is_background=is_background,
        )
        for number, one in enumerate(loaded)
    ]
    found = await _all_finished(futures)
    return merged(found) if separate_channels else found[0]


def _together(then: OnProgress | None) -> Callable[[int], OnProgress | None]:
    """Of the recording of a number, what passes on its progress with that of the others; None: to nobody."""
    if then is None:
        return lambda number: None
    done = dict[int, float]()

    def advance(number: int, seconds: float) -> None:
        done[number] = seconds
        then(sum(done.values()))

    return lambda number: partial(advance, number)


def _submit(
    engine: Engine,
    audio: LoadedAudio,
    options: Options,
    on_segments: OnSegments,
    *,
    client: str,
    on_progress: OnProgress | None,
    on_begun: OnBegun,
    is_background: IsBackground,
) -> Future[Transcription]:
    """What the model makes of it, as Engine.submit; what has no speech is done at once."""
    if audio.clips == ():
        silence: Future[Transcription] = Future()
        language, duration = options.language or LANGUAGE_OF_SILENCE, len(audio.samples) / SAMPLE_RATE
        silence.set_result(Transcription("", language, duration, ()))
        if on_progress:
            on_progress(duration)
        return silence
    if audio.clips:
        options = replace(options, clip_timestamps=audio.clips, language_at=audio.clips[0])
    trace = tracing.current.get()
    return engine.submit(
        audio.samples,
        options,
        on_segments,
        client=client,
        on_progress=on_progress,
        on_begun=on_begun,
        on_stage=trace and trace.stage,
        is_background=is_background,
    )


async def _all_finished(futures: Sequence[Future[Transcription]]) -> list[Transcription]:
    """The result of each; where one fails, the others are cancelled. Raises HttpError (503), or what failed."""
    try:
        return [await _finished(future) for future in futures]
    finally:
        for future in futures:
            future.cancel()


async def _finished(future: Future[Transcription]) -> Transcription:
    try:
        return await asyncio.wrap_future(future)  # cancelling this cancels `future`, which frees its place
    except OutOfMemory:
        message = "The device has no memory for this recording now: try again later, or send it in shorter parts."
        raise unavailable(message, "out_of_memory", OUT_OF_MEMORY_RETRY_AFTER) from None
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) and task.cancelling():
            raise
        raise stopped() from None
