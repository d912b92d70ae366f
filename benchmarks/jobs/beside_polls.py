"""A client with short clips while a thousand jobs wait, with and without a hundred clients that poll them."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.jobs.clients import PATH, paced_server
from benchmarks.jobs.kept_jobs import multiply
from benchmarks.jobs.polls import PollCounts, polling
from benchmarks.load.client import AudioFile, RequestOutcome, ask
from testbed.runtime_process import running
from whisper_runtime.verify.performance import percentile

GOAL: Final = 1.2
FEWEST: Final = 20
"""Requests for a 95th percentile that is not the slowest of them."""
ENDLESS: Final = 3600.0
"""What the engine takes that fills the store: no job of it is done."""
WARM_UP: Final = 3


@dataclass
class PollReport:
    jobs: int
    clients: int
    without: list[list[RequestOutcome]] = field(default_factory=list[list[RequestOutcome]])
    """The short clips of each slice."""
    beside: list[list[RequestOutcome]] = field(default_factory=list[list[RequestOutcome]])
    polls: PollCounts = field(default_factory=PollCounts)
    polled_seconds: float = 0.0

    @property
    def times(self) -> float:
        """The 95th percentile of all with polls, by that without."""
        return p95([one for part in self.beside for one in part]) / p95([one for part in self.without for one in part])

    @property
    def is_telling(self) -> bool:
        """Whether there are requests enough of either kind for a 95th percentile."""
        return min(sum(map(len, parts)) for parts in (self.without, self.beside)) >= FEWEST

    @property
    def problems(self) -> list[str]:
        outcomes = [one for part in (*self.without, *self.beside) for one in part]
        refused = [f"{one.status} {one.code}" for one in outcomes if one.status != 200]
        wrong = [f"{number} polls got {status}" for status, number in self.polls.statuses.items() if status != 200]
        slow = [f"{self.times:.2f} x as long as without polls"] if self.times > GOAL else []
        return refused + wrong + slow


def p95(outcomes: list[RequestOutcome]) -> float:
    return percentile([one.seconds for one in outcomes], 0.95)


def p50(outcomes: list[RequestOutcome]) -> float:
    return statistics.median(one.seconds for one in outcomes)


def run(work: Path, clip: AudioFile, jobs: int, clients: int, slices: int, seconds: float) -> PollReport:
    """By turns so many slices without polls and with them, of `seconds` for each kind together; tiny.en, as it is."""
    report = PollReport(jobs, clients)
    paths = _queued(work, clip, jobs)
    with running(work / "runtime", jobs_dir=str(work / "jobs")) as runtime:
        asyncio.run(_measure(runtime.port, clip, paths, report, slices, seconds / slices))
    return report


async def _measure(
    port: int, clip: AudioFile, paths: list[str], report: PollReport, slices: int, seconds: float
) -> None:
    for _ in range(WARM_UP):
        await ask(port, clip)
    for _ in range(slices):
        for part, polls in ((report.without, False), (report.beside, True)):
            async with AsyncExitStack() as stack:
                if polls:
                    await stack.enter_async_context(polling(port, paths, report.clients, report.polls))
                began = time.monotonic()
                part.append(await _one_by_one(port, clip, seconds))
                report.polled_seconds += (time.monotonic() - began) * polls


async def _one_by_one(port: int, clip: AudioFile, seconds: float) -> list[RequestOutcome]:
    """Sends the clip again and again for so long, at least once."""
    found, ends = list[RequestOutcome](), time.monotonic() + seconds
    while not found or time.monotonic() < ends:
        found.append(await ask(port, clip))
    return found


def _queued(work: Path, clip: AudioFile, jobs: int) -> list[str]:
    """The paths of so many queued jobs, in a store that no process has open."""
    with paced_server(work, clip.content, ENDLESS) as client:
        job = client.submit().rpartition("/")[2]
    return [f"{PATH}/{one}" for one in multiply(work, job, jobs - 1)]
