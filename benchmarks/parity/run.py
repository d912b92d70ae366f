"""The engine's results for the corpus: one case at a time, all at once, or among copies of the same one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from benchmarks.parity.corpus import ParityCase
from testbed.inputs import weights
from whisper_runtime.contract.config_types import ComputeType
from whisper_runtime.diarization import words
from whisper_runtime.diarization.interface import Diarizer, SpeakerBounds
from whisper_runtime.engine.batching.request import TranscriptionRequest
from whisper_runtime.engine.batching.scheduler import Scheduler, build_scheduler
from whisper_runtime.engine.interface import NullObserver, Samples
from whisper_runtime.engine.model import load
from whisper_runtime.engine.speech.network import compute_alone
from whisper_runtime.engine.transcription import Options, Transcription

COPIES = 8


def scheduler(name: str, precision: ComputeType = "float32") -> Scheduler:
    """The engine without its thread, on the CPU."""
    return build_scheduler(load.load(weights.path(name), "cpu", precision), NullObserver())


def alone(engine: Scheduler, case: ParityCase) -> Transcription:
    return transcribe(engine, case.samples, case.options)


def transcribe(engine: Scheduler, samples: Samples, options: Options) -> Transcription:
    """One recording on an idle engine."""
    return _until_done(engine, [_submit(engine, samples, options)])[0]


def among_copies(engine: Scheduler, case: ParityCase) -> list[Transcription]:
    """COPIES equal requests at once, whose results must be equal."""
    return _until_done(engine, [_submit(engine, case.samples, case.options) for _ in range(COPIES)])


def among_others(engine: Scheduler, cases: Iterable[ParityCase]) -> Iterator[tuple[ParityCase, Transcription]]:
    """All cases at once: each gets a slot as soon as another one frees it."""
    submitted = [(case, _submit(engine, case.samples, case.options)) for case in cases]
    _until_done(engine, [future for _, future in submitted])
    yield from ((case, future.result()) for case, future in submitted)


def with_speakers(engine: Scheduler, diarizer: Diarizer, case: ParityCase) -> Transcription:
    """The same as `alone`, and each word its speaker: they are looked for beside the model, as a server does it."""
    with ThreadPoolExecutor(1, initializer=compute_alone) as beside:
        turns = beside.submit(diarizer.turns, case.samples, SpeakerBounds(), (), is_cancelled=lambda: False)
        return words.with_speakers(alone(engine, case), turns.result())


def _submit(engine: Scheduler, samples: Samples, options: Options) -> Future[Transcription]:
    future: Future[Transcription] = Future()
    engine.add(TranscriptionRequest(samples, options, future, None, time.perf_counter()))
    return future


def _until_done(engine: Scheduler, futures: list[Future[Transcription]]) -> list[Transcription]:
    while not all(future.done() for future in futures):
        engine.iterate()
    return [future.result() for future in futures]
