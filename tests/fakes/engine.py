"""An engine without a model: it answers at once, or holds every request until the test resolves its future."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import IO, Final

import numpy as np

from whisper_runtime.engine.interface import (
    Abilities,
    IsBackground,
    OnBegun,
    OnProgress,
    OnSegments,
    OnStage,
    Samples,
    State,
    in_foreground,
)
from whisper_runtime.engine.transcription import Options, Segment, Transcription, Word
from whisper_runtime.media.ffmpeg_process import BYTES_PER_SECOND, OnBytes
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.media.raw_audio import UNDECLARED, DeclaredType
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.media.track_taken import TrackTaken

SEGMENT = Segment(
    id=0,
    seek=0,
    start=0.0,
    end=2.5,
    text=" Ask not.",
    tokens=(50364, 12320, 406, 13, 50489),
    temperature=0.0,
    avg_logprob=-0.25,
    compression_ratio=0.75,
    no_speech_prob=0.01,
    words=(Word(" Ask", 0.0, 1.0, 0.9), Word(" not.", 1.0, 2.5, 0.8)),
    token_logprobs=(-0.125, -0.5, -0.25, -0.375, -0.125),
)
SPOKEN = Transcription(text=" Ask not.", language="en", duration=2.5, segments=(SEGMENT,))
SECONDS: Final = 10.0
"""The longest that a test waits for a request."""

STAGES: Final = ("queue", "encode", "decode_steps")
"""What every request takes no time in."""

MULTILINGUAL = Abilities(languages=99, translates=True)
TURBO = Abilities(languages=100, translates=False)
ENGLISH = Abilities(languages=1, translates=False)


class FakeEngine:
    def __init__(self, state: State = State.READY) -> None:
        self.state = state
        self.abilities = MULTILINGUAL
        self.error: str | None = None
        self.is_stuck = False
        self.queued_audio_seconds = 0.0
        self.rows_in_flight = 0
        self.speed = 10.0
        self.row_speed = 10.0
        self.free_rows = 0
        self.answer: Transcription | Exception | None = SPOKEN
        """The outcome of every request; None: hold it."""
        self.asked: list[Options] = []
        """The options of each request."""
        self.num_samples: list[int] = []
        """The length of each request's recording."""
        self.held: list[Future[Transcription]] = []
        """The future of each request."""
        self.clients: list[str] = []
        """The client of each request."""
        self._is_background: list[IsBackground] = []
        self._callbacks: list[OnSegments | None] = []
        self._on_begun: list[OnBegun | None] = []
        self._on_progress: list[OnProgress | None] = []
        self._changed = threading.Condition()

    def submit(
        self,
        samples: Samples,
        options: Options,
        on_segments: OnSegments | None = None,
        *,
        client: str = "",
        on_progress: OnProgress | None = None,
        on_begun: OnBegun | None = None,
        on_stage: OnStage | None = None,
        is_background: IsBackground = in_foreground,
    ) -> Future[Transcription]:
        future: Future[Transcription] = Future()
        with self._changed:
            self.num_samples.append(len(samples))
            self.asked.append(options)
            self.held.append(future)
            self.clients.append(client)
            self._is_background.append(is_background)
            self._callbacks.append(on_segments)
            self._on_begun.append(on_begun)
            self._on_progress.append(on_progress)
            self._changed.notify_all()
        future.add_done_callback(self._on_done)
        if on_stage:
            now = time.perf_counter()
            for stage in STAGES:
                on_stage(stage, now, now)
        if isinstance(self.answer, Transcription):
            for segment in self.answer.segments if on_segments else ():
                on_segments([segment])
            future.set_result(self.answer)
        elif self.answer is not None:
            future.set_exception(self.answer)
        return future

    @property
    def in_background(self) -> list[bool]:
        """Whether each request yields to others now."""
        return [is_background() for is_background in self._is_background]

    async def until_submitted(self, count: int = 1) -> None:
        """Wait until `count` requests have been submitted. Raises TimeoutError."""
        await asyncio.to_thread(self.wait_until_submitted, count)

    def wait_until_submitted(self, count: int = 1) -> None:
        """`until_submitted` for a test that is not asynchronous: block the thread."""
        self._wait(lambda: len(self.held) >= count, f"{count} requests submitted")

    async def until_cancelled(self) -> None:
        """Wait until the first request is cancelled. Raises TimeoutError."""
        await asyncio.to_thread(self.wait_until_cancelled)

    def wait_until_cancelled(self) -> None:
        """`until_cancelled` for a test that is not asynchronous: block the thread."""
        self._wait(lambda: self.held[0].cancelled(), "the first request cancelled")

    def begin(self, number: int = 0) -> None:
        """Give a row to the request of that number, in the order in which they came: it waits no more."""
        on_begun = self._on_begun[number]
        assert on_begun is not None
        on_begun()

    def go_on(self, seconds: float) -> None:
        """Be done with so many seconds of the first request, which must have asked for its progress."""
        on_progress = self._on_progress[0]
        assert on_progress is not None
        on_progress(seconds)

    def emit(self, *segments: Segment) -> None:
        """Hand final segments to the first request, which must have asked for them, and be done with their seconds."""
        on_segments, on_progress = self._callbacks[0], self._on_progress[0]
        assert on_segments is not None
        on_segments(segments)
        if on_progress:
            on_progress(segments[-1].end)

    def _wait(self, is_true: Callable[[], bool], what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(is_true, SECONDS):
                raise TimeoutError(f"not within {SECONDS} s: {what}")

    def _on_done(self, _: Future[Transcription]) -> None:
        with self._changed:
            self._changed.notify_all()

    def start(self) -> None:
        self.state = State.READY

    def stop(self) -> None:
        self.state = State.STOPPED


async def fake_decode(
    media: IO[bytes],
    *,
    max_seconds: float,
    timeout: float,
    on_bytes: OnBytes,
    languages: Collection[str] = (),
    declared: DeclaredType = UNDECLARED,
) -> DecodedAudio:
    """Takes a file of `speech` for 2.5 s of audio, and one of `speech N` for N seconds."""
    content = media.read().decode(errors="replace")
    if not content:
        raise AudioError("Empty", "The file is empty.")
    if not content.startswith("speech"):
        raise AudioError("NotAudio", "The file is not audio.")
    seconds = float(content.removeprefix("speech") or 2.5)
    if seconds > max_seconds:
        raise AudioError("TooLong", "The audio is too long.", seconds)
    on_bytes(int(seconds * BYTES_PER_SECOND))
    samples = np.zeros(int(seconds * 16_000), dtype=np.float32)
    return DecodedAudio(samples, TrackTaken(0, "opus", "mono", "eng") if "track" in declared.name else None)


async def fake_decode_channels(
    media: IO[bytes],
    *,
    max_seconds: float,
    timeout: float,
    on_bytes: OnBytes,
    languages: Collection[str] = (),
    declared: DeclaredType = UNDECLARED,
) -> list[DecodedAudio]:
    """Takes a file of `speech N speech M …` for channels of N, M … seconds; what begins with `silence` is silent."""
    found: list[Samples] = []
    for kind, seconds in re.findall(r"(speech|silence) ([0-9.]+)", media.read().decode()):
        found.append(np.full(int(float(seconds) * 16_000), 0.5 if kind == "speech" else 0.0, np.float32))
    if not found:
        raise AudioError("NotAudio", "The file is not audio.")
    if (total := sum(map(len, found)) / 16_000) > max_seconds:
        raise AudioError("TooLong", "The audio is too long.", total)
    return [DecodedAudio(one, None) for one in found]
