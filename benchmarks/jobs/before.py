"""Requests of clients that use no jobs, to a server that keeps jobs and to the last build that had none, by turns."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.against.checkouts import builds
from benchmarks.load.client import AudioFile, ask
from testbed import runtime_process
from testbed.runtime_process import RuntimeProcess

BEFORE: Final = "c55da20~1"
"""The last commit without jobs."""
GOAL: Final = 0.98
CLIENTS: Final = 8
WARM_UP: Final = 8


@dataclass
class RateReport:
    """By build; the values of one place were taken one after the other."""

    per_second: dict[str, list[float]] = field(default_factory=lambda: {"before": list[float](), "now": list[float]()})
    processor: dict[str, list[float]] = field(default_factory=lambda: {"before": list[float](), "now": list[float]()})
    """Ms of the server's processors for a request; nothing of ffmpeg's."""

    @property
    def ratios(self) -> list[float]:
        """Requests/s now, by before, of each round."""
        pairs = zip(self.per_second["now"], self.per_second["before"], strict=True)
        return [now / before for now, before in pairs]

    @property
    def is_telling(self) -> bool:
        """Whether half of the rounds are within some percent of their median; else the machine was too busy."""
        median = statistics.median(self.ratios)
        return statistics.median(abs(one - median) for one in self.ratios) <= 0.05

    @property
    def problems(self) -> list[str]:
        found = statistics.median(self.ratios)
        return [f"{found:.3f} x the requests/s of before"] if found < GOAL else []


def run(work: Path, clip: AudioFile, rounds: int, requests: int) -> RateReport:
    """So many requests to each build in each round, of CLIENTS clients; tiny.en with real weights.

    Raises AssertionError where one is not answered.
    """
    report = RateReport()
    with _servers(work) as servers:
        for runtime in servers.values():
            asyncio.run(_answered(runtime.port, clip, WARM_UP))
        for number in range(rounds):
            turns = list(servers.items())
            for build, runtime in turns if number % 2 else reversed(turns):
                began, used = time.perf_counter(), runtime.processor_ms
                asyncio.run(_answered(runtime.port, clip, requests))
                report.per_second[build].append(requests / (time.perf_counter() - began))
                report.processor[build].append((runtime.processor_ms - used) / requests)
    return report


@contextmanager
def _servers(work: Path) -> Generator[dict[str, RuntimeProcess]]:
    with builds(BEFORE) as found, ExitStack() as stack:
        before = runtime_process.running(work / "before", checkout=found.before)
        now = runtime_process.running(work / "now", checkout=found.now, jobs_dir=str(work / "jobs"))
        yield {"before": stack.enter_context(before), "now": stack.enter_context(now)}


async def _answered(port: int, clip: AudioFile, count: int) -> None:
    """Sends so many requests, CLIENTS at a time."""
    waiting = iter(range(count))

    async def client() -> None:
        for _ in waiting:
            outcome = await ask(port, clip)
            assert outcome.status == 200, f"a request was answered {outcome.status} {outcome.code}"

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client())
