"""python -m benchmarks.jobs.server: a runtime that decodes and keeps jobs as ever, and an engine of a known speed."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import Future
from typing import Final

from tests.fakes.engine import MULTILINGUAL, FakeEngine
from tests.fakes.process import finish
from whisper_runtime import logs
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import OnBegun, OnSegments, Samples, State
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.media.channels import decode_channels
from whisper_runtime.media.decode import decode
from whisper_runtime.media.kept_audio import keep_audio, read_audio
from whisper_runtime.metrics import Metrics
from whisper_runtime.process.servers import serve
from whisper_runtime.service.audio_loading import MediaDecoder
from whisper_runtime.service.jobs.content import AudioCodec
from whisper_runtime.service.jobs.open import open_jobs
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.parts import parts_of

WORK_SECONDS: Final = "BENCHMARK_WORK_SECONDS"
"""The variable with what the engine takes for a recording, however long that is."""


class PacedEngine(FakeEngine):
    def __init__(self, work_seconds: float) -> None:
        super().__init__(State.LOADING)
        self._work_seconds, self.free_rows = work_seconds, 8

    def submit(
        self,
        samples: Samples,
        options: Options,
        on_segments: OnSegments | None = None,
        *,
        on_begun: OnBegun | None = None,
        **_: object,
    ) -> Future[Transcription]:
        future: Future[Transcription] = Future()
        if on_begun:
            on_begun()
        timer = threading.Timer(self._work_seconds, finish, (future,))
        timer.daemon = True
        timer.start()
        return future


def main() -> None:
    config = RuntimeConfig.from_env(os.environ)
    logs.configure(config.log_level, config.log_format)
    engine, began = PacedEngine(float(os.environ[WORK_SECONDS])), time.monotonic()
    engine.start()
    media = MediaDecoder(decode, decode_channels)
    parts = parts_of(config, engine, media, ServedModel(config, MULTILINGUAL), Metrics("base"))
    assert config.jobs_dir is not None
    serve(parts, began, open_jobs(config.jobs_dir, parts, AudioCodec(keep_audio, read_audio)))


if __name__ == "__main__":
    sys.exit(main())
