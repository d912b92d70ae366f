"""Finds the speakers of recordings beside the model, in threads of their own: never in the event loop (ADR 93)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

from whisper_runtime.diarization.interface import (
    Diarizer,
    KnownSpeaker,
    SpeakerBounds,
    SpeakerTurn,
    UnusableReference,
)
from whisper_runtime.diarization.words import with_speakers
from whisper_runtime.engine.interface import OnProgress, Samples
from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.metrics.engine import EngineMetrics
from whisper_runtime.service.audio_loading import AudioOptions, LoadedAudio
from whisper_runtime.service.speaker_options import SpeakerOptions
from whisper_runtime.service.speaker_references import FIELD, ReferenceLoader, unusable
from whisper_runtime.service.tracing import record_stage


class RunModel(Protocol):
    """What the model makes of a recording."""

    def __call__(self, *, on_progress: OnProgress | None) -> Coroutine[Any, Any, Transcription]: ...


class SpeakerFinder:
    """Use it in the event loop's thread."""

    def __init__(
        self, diarizer: Future[Diarizer], threads: int, references: ReferenceLoader, metrics: EngineMetrics
    ) -> None:
        """`diarizer` is there before requests are served.

        `threads`: recordings whose speakers are looked for side by side; others wait.
        """
        self._diarizer, self._references, self._metrics = diarizer, references, metrics
        self._pool = ThreadPoolExecutor(threads, "speakers", initializer=_compute_alone)

    async def known(self, asked: SpeakerOptions | None) -> Sequence[KnownSpeaker]:
        """The speakers whom a request names. Raises HttpError (400), which names the one that cannot be used."""
        return await self._references.load(asked.references) if asked else ()

    async def turns(
        self,
        samples: Samples,
        bounds: SpeakerBounds,
        known: Sequence[KnownSpeaker],
        on_progress: OnProgress | None = None,
    ) -> Sequence[SpeakerTurn]:
        """Who speaks when; cancelling the task ends the search, and waits until it has ended.

        `on_progress` gets the seconds whose voices are known, from a thread. Raises HttpError (400) for a reference of
        no use.
        """
        queued, unwanted = time.perf_counter(), threading.Event()
        work = self._pool.submit(self._search, samples, bounds, known, unwanted.is_set, on_progress)
        try:
            started, turns = await asyncio.wrap_future(work)
        except UnusableReference as error:
            raise unusable(f"`{FIELD}` cannot be used: {error}.") from None
        except asyncio.CancelledError:
            unwanted.set()
            await asyncio.gather(asyncio.wrap_future(work), return_exceptions=True)  # until it has let the samples go
            raise
        record_stage(self._metrics, "speakers_queue", queued, started)
        record_stage(self._metrics, "speakers", started)
        return turns

    def _search(
        self,
        samples: Samples,
        bounds: SpeakerBounds,
        known: Sequence[KnownSpeaker],
        is_cancelled: Callable[[], bool],
        on_progress: OnProgress | None,
    ) -> tuple[float, Sequence[SpeakerTurn]]:
        """When it began, by time.perf_counter, and what it came to; in a thread of the pool."""
        started = time.perf_counter()
        find = self._diarizer.result().turns
        return started, find(samples, bounds, known, is_cancelled=is_cancelled, on_progress=on_progress)


async def with_their_speakers(
    run: RunModel,
    loaded: Sequence[LoadedAudio],
    audio_options: AudioOptions,
    finder: SpeakerFinder | None,
    known: Sequence[KnownSpeaker],
    on_progress: OnProgress | None = None,
    on_transcribed: Callable[[], None] = lambda: None,
) -> Transcription:
    """What `run` finds in the recording, with its speakers where they are asked for: they are looked for meanwhile.

    `on_progress` gets the seconds that both are done with; `on_transcribed` is called where speakers are looked for,
    when `run` has ended. Where one of both fails, or this task is cancelled, the
    other is cancelled, and has ended when this does. Raises what `run` does, and HttpError (400) for a reference of no
    use.
    """
    asked = audio_options.speakers
    if asked is None or finder is None:
        return await run(on_progress=on_progress)
    of_model, of_speakers = _of_both(on_progress)
    search = finder.turns(loaded[0].samples, asked.bounds, known, of_speakers)
    tasks = (asyncio.create_task(run(on_progress=of_model)), asyncio.create_task(search))
    tasks[0].add_done_callback(lambda _: on_transcribed())
    try:
        found, turns = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            if not task.cancelling():  # by who has cancelled this one: a second time would end its waiting
                task.cancel()
        await asyncio.wait(tasks)
    return await asyncio.to_thread(with_speakers, found, turns)


def _of_both(then: OnProgress | None) -> tuple[OnProgress | None, OnProgress | None]:
    """For two who go through one recording, each in a thread of its own: the slower one says how far it is."""
    if then is None:
        return None, None
    lock, done = threading.Lock(), [0.0, 0.0]

    def advance(which: int, seconds: float) -> None:
        with lock:
            done[which] = seconds
            then(min(done))

    return partial(advance, 0), partial(advance, 1)


def _compute_alone() -> None:
    """Leaves the other threads of torch to the model."""
    from whisper_runtime.engine.speech.network import compute_alone

    compute_alone()
