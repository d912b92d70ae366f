"""A runtime process without a model, for tests of its life: python -m tests.fakes.process.

A file of `speech N` takes N seconds to transcribe; one of `speech 66` breaks the device.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from tests.fakes.engine import MULTILINGUAL, SPOKEN, FakeEngine, fake_decode, fake_decode_channels
from whisper_runtime import logs
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import OnBegun, OnSegments, Samples, State
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.process.listening import CannotServe
from whisper_runtime.process.servers import serve
from whisper_runtime.service import tracing
from whisper_runtime.service.audio_loading import MediaDecoder
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.parts import parts_of

BREAKS: Final = 66.0
ROWS: Final = 256
"""Recordings that are transcribed at the same time, where WHISPER_MAX_BATCH_SIZE does not say how many."""


class TimedEngine(FakeEngine):
    """Gives its rows to recordings in the order in which they come, whoever sends them."""

    def __init__(self, rows: int) -> None:
        super().__init__(State.LOADING)
        self._rows = rows
        self._waiting: list[TimedRecording] = []
        self._running: list[TimedRecording] = []
        self._lock = threading.RLock()
        self.speed, self.free_rows = float(rows), rows

    def submit(
        self,
        samples: Samples,
        options: Options,
        on_segments: OnSegments | None = None,
        *,
        on_begun: OnBegun | None = None,
        **_: object,
    ) -> Future[Transcription]:
        recording = TimedRecording(len(samples) / 16_000, on_begun)
        if recording.seconds == BREAKS:
            self.error, self.state = "the device is lost: CUDA error 700", State.FAILED
            return recording.future
        with self._lock:
            self._waiting.append(recording)
            self._give_rows()
        recording.future.add_done_callback(lambda _: self._end(recording))
        return recording.future

    def _end(self, recording: TimedRecording) -> None:
        with self._lock:
            for those in (self._waiting, self._running):
                if recording in those:
                    those.remove(recording)
            self._give_rows()

    def _give_rows(self) -> None:
        while self._waiting and len(self._running) < self._rows:
            self._running.append(self._waiting.pop(0))
            self._running[-1].begin()
        self.free_rows = self._rows - len(self._running)
        self.queued_audio_seconds = sum(one.seconds for one in self._waiting)


@dataclass(eq=False)
class TimedRecording:
    seconds: float
    on_begun: OnBegun | None
    future: Future[Transcription] = field(default_factory=Future[Transcription])

    def begin(self) -> None:
        if self.on_begun:
            self.on_begun()
        timer = threading.Timer(self.seconds, finish, (self.future,))
        timer.daemon = True
        timer.start()


def finish(future: Future[Transcription]) -> None:
    with suppress(InvalidStateError):  # it was cancelled meanwhile
        future.set_result(SPOKEN)


def main() -> int:
    config = RuntimeConfig.from_env(os.environ)
    logs.configure(config.log_level, config.log_format)
    engine, began = TimedEngine(config.max_batch_size or ROWS), time.monotonic()
    engine.start()
    model, metrics, spans = ServedModel(config, MULTILINGUAL), Metrics("base"), tracing.start(os.environ)
    try:
        media = MediaDecoder(fake_decode, fake_decode_channels)
        serve(parts_of(config, engine, media, model, metrics, tracing=spans), began)
    except CannotServe as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
