"""The engine's answers to the corpus: one case at a time, all at once, or in the company of copies."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future

from benchmarks.parity.corpus import Case
from benchmarks.parity.sounds import Samples
from testbed.inputs import weights
from whisper_runtime.contract.config import ComputeType
from whisper_runtime.engine.batching import worker
from whisper_runtime.engine.batching.request import Request
from whisper_runtime.engine.batching.scheduler import Table
from whisper_runtime.engine.interface import Unobserved
from whisper_runtime.engine.model import load
from whisper_runtime.engine.transcription import Options, Transcription

COPIES = 8


def table(name: str, precision: ComputeType = "float32") -> Table:
    """The engine without its thread, on the CPU."""
    return worker.table_of(load.load(weights.path(name), "cpu", precision), Unobserved())


def alone(engine: Table, case: Case) -> Transcription:
    return heard(engine, case.samples, case.options)


def heard(engine: Table, samples: Samples, options: Options) -> Transcription:
    """One recording without company."""
    return _until_done(engine, [_ask(engine, samples, options)])[0]


def among_copies(engine: Table, case: Case) -> list[Transcription]:
    """Eight equal ones, each of which must come out alike."""
    return _until_done(engine, [_ask(engine, case.samples, case.options) for _ in range(COPIES)])


def among_others(engine: Table, cases: Iterable[Case]) -> Iterator[tuple[Case, Transcription]]:
    """All cases, in batches of different ones; each joins as soon as another has left."""
    asked = [(case, _ask(engine, case.samples, case.options)) for case in cases]
    _until_done(engine, [future for _, future in asked])
    yield from ((case, future.result()) for case, future in asked)


def _ask(engine: Table, samples: Samples, options: Options) -> Future[Transcription]:
    future: Future[Transcription] = Future()
    engine.add(Request(samples, options, future, None, time.perf_counter()))
    return future


def _until_done(engine: Table, futures: list[Future[Transcription]]) -> list[Transcription]:
    while not all(future.done() for future in futures):
        engine.turn()
    return [future.result() for future in futures]
