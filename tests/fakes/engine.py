"""An engine without a model: it answers at once, or holds every request until told what becomes of it."""

from __future__ import annotations

from concurrent.futures import Future
from typing import IO

import numpy as np

from whisper_runtime.engine.interface import Abilities, OnSegments, Samples, State
from whisper_runtime.engine.transcription import Options, Segment, Transcription, Word
from whisper_runtime.media.decode import AudioError

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


MULTILINGUAL = Abilities(languages=99, translates=True)
TURBO = Abilities(languages=100, translates=False)
ENGLISH = Abilities(languages=1, translates=False)


class FakeEngine:
    def __init__(self, state: State = State.READY) -> None:
        self.state = state
        self.heard: list[int] = []
        """Samples of each recording."""
        self.abilities = MULTILINGUAL
        self.error: str | None = None
        self.queued_audio_seconds = 0.0
        self.speed = 10.0
        self.long_speed = 10.0
        self.asked: list[Options] = []
        self.held: list[Future[Transcription]] = []
        self.listeners: list[OnSegments | None] = []
        """Who is told of segments, for each of `held`."""
        self.answer: Transcription | Exception | None = SPOKEN
        """None: hold every request."""

    def submit(
        self, samples: Samples, options: Options, on_segments: OnSegments | None = None
    ) -> Future[Transcription]:
        self.heard.append(len(samples))
        self.asked.append(options)
        future: Future[Transcription] = Future()
        self.held.append(future)
        self.listeners.append(on_segments)
        if isinstance(self.answer, Transcription):
            for segment in self.answer.segments if on_segments else ():
                on_segments([segment])
            future.set_result(self.answer)
        elif self.answer is not None:
            future.set_exception(self.answer)
        return future

    def start(self) -> None:
        self.state = State.READY

    def stop(self) -> None:
        self.state = State.STOPPED


async def fake_decode(media: IO[bytes], *, max_seconds: float, timeout: float) -> Samples:
    """Takes a file of `speech` for 2.5 s of audio, and one of `speech N` for N seconds."""
    content = media.read().decode(errors="replace")
    if not content:
        raise AudioError("Empty", "The file is empty.")
    if not content.startswith("speech"):
        raise AudioError("NotAudio", "The file is not audio.")
    seconds = float(content.removeprefix("speech") or 2.5)
    if seconds > max_seconds:
        raise AudioError("TooLong", "The audio is too long.")
    return np.zeros(int(seconds * 16_000), dtype=np.float32)
