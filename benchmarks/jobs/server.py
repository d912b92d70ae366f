"""python -m benchmarks.jobs.server: a runtime that decodes and keeps jobs as ever, and an engine of a known speed."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import replace
from typing import Final

from tests.fakes.engine import MULTILINGUAL, SEGMENT, FakeEngine
from whisper_runtime import logs
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import OnBegun, OnSegments, Samples, State
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.media.channels import decode_channels
from whisper_runtime.media.decode import decode
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.kept_audio import keep_audio, read_audio
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.process.servers import serve
from whisper_runtime.service.audio_loading import MediaDecoder
from whisper_runtime.service.jobs.content import AudioCodec
from whisper_runtime.service.jobs.open import open_jobs
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.parts import parts_of

WORK_SECONDS: Final = "BENCHMARK_WORK_SECONDS"
"""The variable with what the engine takes for a recording, however long that is."""

SEGMENT_SECONDS: Final = 4.0
TEXT: Final = " Ask not what your country can do for you, ask what you can do."
TOKENS: Final = 4
"""How often the tokens of the fakes' segment are repeated: twenty for each."""


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
        timer = threading.Timer(self._work_seconds, finish, (future, spoken(len(samples) / SAMPLE_RATE)))
        timer.daemon = True
        timer.start()
        return future


def spoken(seconds: float) -> Transcription:
    """As much text as people speak in so many seconds."""
    starts = [SEGMENT_SECONDS * number for number in range(max(1, int(seconds / SEGMENT_SECONDS)))]
    segments = tuple(
        replace(
            SEGMENT,
            id=number,
            seek=100 * int(start),
            start=start,
            end=start + SEGMENT_SECONDS,
            text=TEXT,
            tokens=SEGMENT.tokens * TOKENS,
            words=(),
            token_logprobs=SEGMENT.token_logprobs * TOKENS,
        )
        for number, start in enumerate(starts)
    )
    return Transcription("".join(one.text for one in segments), "en", seconds, segments)


def finish(future: Future[Transcription], found: Transcription) -> None:
    with suppress(InvalidStateError):  # it was cancelled meanwhile
        future.set_result(found)


def main() -> None:
    config = RuntimeConfig.from_env(os.environ)
    logs.configure(config.log_level, config.log_format)
    engine, began = PacedEngine(float(os.environ[WORK_SECONDS])), time.monotonic()
    engine.start()
    media = MediaDecoder(decode, decode_channels)
    model = ServedModel(config, MULTILINGUAL)
    model.has_digest(hashlib.sha256(b"no checkpoint").hexdigest())
    parts = parts_of(config, engine, media, model, Metrics("base"))
    assert config.jobs_dir is not None
    serve(parts, began, open_jobs(config.jobs_dir, parts, AudioCodec(keep_audio, read_audio)))


if __name__ == "__main__":
    sys.exit(main())
