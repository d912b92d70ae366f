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
from typing import Final

from tests.fakes.engine import MULTILINGUAL, SPOKEN, FakeEngine, fake_decode, fake_decode_channels
from whisper_runtime import logs
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import OnSegments, OnStage, Samples, State
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.metrics import Metrics
from whisper_runtime.process.listening import CannotServe
from whisper_runtime.process.servers import serve
from whisper_runtime.service import tracing
from whisper_runtime.service.audio_loading import MediaDecoder
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.parts import parts_of

BREAKS: Final = 66.0


class TimedEngine(FakeEngine):
    def __init__(self) -> None:
        super().__init__(State.LOADING)

    def submit(
        self,
        samples: Samples,
        options: Options,
        on_segments: OnSegments | None = None,
        *,
        on_stage: OnStage | None = None,
        **_: object,
    ) -> Future[Transcription]:
        future: Future[Transcription] = Future()
        seconds = len(samples) / 16_000
        if seconds == BREAKS:
            self.error, self.state = "the device is lost: CUDA error 700", State.FAILED
            return future
        timer = threading.Timer(seconds, finish, (future,))
        timer.daemon = True
        timer.start()
        return future


def finish(future: Future[Transcription]) -> None:
    with suppress(InvalidStateError):  # it was cancelled meanwhile
        future.set_result(SPOKEN)


def main() -> int:
    config = RuntimeConfig.from_env(os.environ)
    logs.configure(config.log_level, config.log_format)
    engine, began = TimedEngine(), time.monotonic()
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
