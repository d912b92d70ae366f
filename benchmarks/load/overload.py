"""Ten times the capacity, open loop: requests arrive at a fixed rate, independent of the answers to earlier ones."""

from __future__ import annotations

import asyncio
import http.client
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.load import audio_files
from benchmarks.load.client import SLOW_BYTES, AudioFile, ClientBehaviour, RequestOutcome, ask
from testbed.runtime_process import ProcessUsage, RuntimeProcess
from whisper_runtime.contract.network import HEALTH_PATH

TIMES_CAPACITY: Final = 10
HANG_UP: Final = 0.20
READ_SLOWLY: Final = 0.05
CALIBRATION_REQUESTS: Final = 24
CALIBRATION_CLIENTS: Final = 4
HEALTH_PERIOD: Final = 0.05
REST_SECONDS: Final = 120
RIGHT: Final = "the right text"
HEALTH_GOAL_SECONDS: Final = 0.1
"""For the 99th percentile of /health, under any load."""


@dataclass(frozen=True)
class OverloadReport:
    capacity: float
    """Requests that the runtime answers in a second."""
    offered: float
    seconds: float
    outcomes: tuple[RequestOutcome, ...]
    health: tuple[float, ...]
    """Seconds of each answer of /health."""
    before: ProcessUsage
    after: ProcessUsage
    rested: bool
    scratch_left: int

    @property
    def useful(self) -> float:
        """The right texts, as a part of what the capacity gives in that time; those of the queue come afterwards."""
        right = sum(_end(outcome) == RIGHT for outcome in self.outcomes)
        return right / (self.capacity * self.seconds)

    @property
    def problems(self) -> list[str]:
        """Every request that ended in a way that is not allowed, and whether the process is back at rest."""
        wrong = [problem for outcome in self.outcomes if (problem := problem_of(outcome))]
        rest = [] if self.rested and not self.scratch_left else ["queue or scratch are not at rest afterwards"]
        return wrong + rest


def problem_of(outcome: RequestOutcome) -> str | None:
    """Why the end of a request is not allowed; None when it is."""
    if outcome.behaviour is ClientBehaviour.HANGS_UP:
        return None
    match outcome.status:
        case 200 if outcome.text == outcome.file.text:
            return None
        case 200:
            return f"{outcome.file.name}: wrong text {outcome.text!r}"
        case 429 | 503 if outcome.retry_after.isdecimal():
            return None
        case 0:
            return f"{outcome.file.name}: no answer after {outcome.seconds:.1f} s"
        case status:
            return f"{outcome.file.name}: {status} {outcome.code} after {outcome.seconds:.1f} s"


async def run(runtime: RuntimeProcess, work: Path, seconds: float) -> OverloadReport:
    """Measures the capacity, offers ten times as much for `seconds`, waits for every answer and until it is at rest."""
    files = [replace(file, text=(await ask(runtime.port, file)).text) for file in audio_files.mixed(work)]
    capacity = await _capacity(runtime.port, files)
    before = runtime.usage
    with _HealthWatch(runtime.metrics_port) as watch:
        outcomes = await _offer(runtime.port, files, capacity * TIMES_CAPACITY, seconds)
    rested = await _rest(runtime)
    left = len(list(runtime.scratch.iterdir()))
    return OverloadReport(
        capacity,
        capacity * TIMES_CAPACITY,
        seconds,
        outcomes,
        tuple(watch.seconds),
        before,
        runtime.usage,
        rested,
        left,
    )


async def _capacity(port: int, files: Sequence[AudioFile]) -> float:
    """Requests per second of CALIBRATION_CLIENTS clients that always have one request running each."""
    waiting = [files[number % len(files)] for number in range(CALIBRATION_REQUESTS)]

    async def client() -> None:
        while waiting:
            await ask(port, waiting.pop())

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CALIBRATION_CLIENTS)))
    return CALIBRATION_REQUESTS / (time.perf_counter() - started)


async def _offer(port: int, files: Sequence[AudioFile], rate: float, seconds: float) -> tuple[RequestOutcome, ...]:
    """Sends requests as Poisson arrivals of `rate` per second for `seconds`; returns all outcomes."""
    rng, started = random.Random(7), time.perf_counter()
    tasks: list[asyncio.Task[RequestOutcome]] = []
    due = 0.0
    while (due := due + rng.expovariate(rate)) < seconds:
        await asyncio.sleep(max(0.0, started + due - time.perf_counter()))
        draw = rng.random()
        behaviour = (
            ClientBehaviour.HANGS_UP
            if draw < HANG_UP
            else ClientBehaviour.READS_SLOWLY
            if draw < HANG_UP + READ_SLOWLY
            else ClientBehaviour.PATIENT
        )
        tasks.append(asyncio.create_task(ask(port, rng.choice(files), behaviour, rng.uniform(0, 3))))
    return tuple(await asyncio.gather(*tasks))


async def _rest(runtime: RuntimeProcess) -> bool:
    ends = time.monotonic() + REST_SECONDS
    while time.monotonic() < ends:
        if await asyncio.to_thread(runtime.at_rest):
            return True
        await asyncio.sleep(0.2)
    return False


class _HealthWatch:
    """Requests /health every HEALTH_PERIOD seconds in a thread, and records the seconds of each answer."""

    def __init__(self, port: int) -> None:
        self.seconds: list[float] = []
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> _HealthWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(HEALTH_PERIOD):
            started = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            connection.request("GET", HEALTH_PATH)
            assert connection.getresponse().read()
            connection.close()
            self.seconds.append(time.perf_counter() - started)


def markdown(report: OverloadReport, model: str) -> str:
    """The report, as it is committed; `model` is the server's."""
    ends = Counter(_end(outcome) for outcome in report.outcomes)
    accepted = sorted(outcome.seconds for outcome in report.outcomes if outcome.status == 200)
    refused = sorted(outcome.seconds for outcome in report.outcomes if outcome.status in (429, 503))
    problems = "".join(f"- {problem}\n" for problem in report.problems[:50]) or "None.\n"
    goal = f"{len(report.health)} times; goal: p99 under {HEALTH_GOAL_SECONDS * 1000:.0f} ms"
    rows = "".join(f"| {end} | {count} |\n" for end, count in ends.most_common())
    return f"""\
# Ten times the capacity

Written by `python -m benchmarks.load overload`. One runtime process with `{model}` on a CPU; requests of 3 to 11 s of
speech in five formats, at a fixed rate; {HANG_UP:.0%} of the clients hang up, {READ_SLOWLY:.0%} read {SLOW_BYTES} bytes
at a time.

| | |
|---|---|
| capacity, measured just before | {report.capacity:.1f} requests/s |
| offered | {report.offered:.0f} requests/s for {report.seconds:.0f} s: {len(report.outcomes)} requests |
| right texts, of those that the capacity gives in that time | {report.useful:.2f} |
| answers to accepted ones | {_spread(accepted)} |
| refusals | {_spread(refused)} |
| `/health` meanwhile ({goal}) | {_spread(sorted(report.health))} |
| memory (anonymous) before, after | {report.before.memory_mib:.0f} MiB, {report.after.memory_mib:.0f} MiB |
| descriptors before, after | {report.before.descriptors}, {report.after.descriptors} |
| threads before, after | {report.before.threads}, {report.after.threads} |
| queue and scratch afterwards | {"at rest" if report.rested and not report.scratch_left else "NOT at rest"} |

| how requests ended | |
|---|---|
{rows}
## What should not have happened

{problems}"""


def _end(outcome: RequestOutcome) -> str:
    if outcome.behaviour is ClientBehaviour.HANGS_UP:
        return "client hung up"
    if outcome.status == 200:
        return RIGHT if outcome.text == outcome.file.text else "another text"
    return f"{outcome.status} {outcome.code}" if outcome.status else "no answer"


def _spread(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return f"{len(seconds)} of them"
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, longest {seconds[-1] * 1000:.0f} ms"
