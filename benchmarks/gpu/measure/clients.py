"""python -m benchmarks.gpu.measure.clients: whole requests in this process, by the number of clients.

Each client sends its next clip when the last one is answered. A request is all that the engine does for one: its
spectrogram, its language where none is given, its encoding, and the same number of tokens each time.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from benchmarks.gpu.measure.job import StageJob, job, spread
from whisper_runtime.engine.batching.scheduler import Scheduler, build_runner
from whisper_runtime.engine.batching.throughput import ThroughputMeter
from whisper_runtime.engine.batching.worker import EngineWorker
from whisper_runtime.engine.interface import NullObserver, Samples, State
from whisper_runtime.engine.transcription import Options

LANGUAGES: Final[dict[str, str | None]] = {"given": "en", "detected": None}
STAGES: Final[tuple[str, ...]] = ("encode", "detect", "decode_step")


class TimingObserver(NullObserver):
    """Adds up the seconds of each stage, and counts decode steps."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.steps = 0

    def stage(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.steps += name == "decode_step"


def main() -> None:
    one = job("clients")
    observer = TimingObserver()
    engine = _started(one, observer)
    clips = noise(one)
    for language in LANGUAGES:  # what is set up at the first request is no part of the others
        _round(engine, clips, max(one.size.clients), 1, LANGUAGES[language])
    for clients in one.size.clients:
        for language, code in LANGUAGES.items():
            _measure(one, engine, observer, clips, clients, language, code)
    engine.stop()


def noise(one: StageJob) -> list[Samples]:
    """Clips of the same length, each of them different."""
    length = int(one.size.seconds * 16_000)
    return [(0.1 * np.random.default_rng(n).standard_normal(length)).astype(np.float32) for n in range(8)]


def greedy(language: str | None) -> Options:
    """Decoded once, whatever comes out: random weights are always unsure."""
    return Options(language=language, temperatures=(0.0,))


def _started(one: StageJob, observer: TimingObserver) -> EngineWorker:
    def load() -> Scheduler:
        runner = build_runner(one.load_random(), observer, max_new_tokens=one.size.tokens)
        return Scheduler(runner, observer, ThroughputMeter())

    engine = EngineWorker(load, prove=lambda transcribe: None)
    engine.start()
    while engine.state is State.LOADING:
        time.sleep(0.05)
    if engine.state is not State.READY:
        raise SystemExit(f"the engine is {engine.state.value}: {engine.error}")
    return engine


def _measure(
    one: StageJob,
    engine: EngineWorker,
    observer: TimingObserver,
    clips: list[Samples],
    clients: int,
    language: str,
    code: str | None,
) -> None:
    observer.seconds = {stage: 0.0 for stage in STAGES}
    observer.steps = 0
    requests = clients * one.size.requests
    per_second: list[float] = []
    latencies: list[float] = []
    for _ in range(one.size.rounds):
        started = time.perf_counter()
        latencies += _round(engine, clips, clients, one.size.requests, code)
        per_second.append(requests / (time.perf_counter() - started))
    latencies.sort()
    total = requests * one.size.rounds
    one.tell(
        clients=clients,
        language=language,
        requests_s=spread(per_second, 1),
        p50_ms=round(1000 * latencies[len(latencies) // 2]),
        p95_ms=round(1000 * latencies[int(0.95 * len(latencies))]),
        steps=observer.steps,
        **{f"{stage}_ms_a_request": round(1000 * observer.seconds[stage] / total, 2) for stage in STAGES},
    )


def _round(engine: EngineWorker, clips: list[Samples], clients: int, each: int, language: str | None) -> list[float]:
    """The seconds that each request took."""

    def client(number: int) -> list[float]:
        taken: list[float] = []
        for turn in range(each):
            started = time.perf_counter()
            engine.submit(clips[(number + turn) % len(clips)], greedy(language)).result()
            taken.append(time.perf_counter() - started)
        return taken

    with ThreadPoolExecutor(clients) as pool:
        return [seconds for taken in pool.map(client, range(clients)) for seconds in taken]


if __name__ == "__main__":
    main()
