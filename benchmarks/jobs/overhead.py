"""What a job takes beyond a request that waits: the same clip, the same server, by turns."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.jobs.clients import by_turns, paced_server

GOAL_MS: Final = 25.0
WORK_SECONDS: Final = 0.05
PREFERENCE: Final = {"Prefer": "respond-async, wait=60"}
WARM_UP: Final = 3


@dataclass(frozen=True)
class OverheadReport:
    requests: tuple[float, ...]
    """The median of each round, in ms."""
    jobs: tuple[float, ...]
    processor: tuple[float, ...] = ()
    """Of the server's processors, what a job takes beyond a request: the median of each round, in ms."""

    @property
    def overhead(self) -> tuple[float, ...]:
        """Of each round, in ms."""
        return tuple(job - request for job, request in zip(self.jobs, self.requests, strict=True))

    @property
    def is_telling(self) -> bool:
        """Whether the rounds agree to within the goal; else the machine was too busy."""
        return max(self.overhead) - min(self.overhead) <= GOAL_MS

    @property
    def problems(self) -> list[str]:
        found = statistics.median(self.overhead)
        return [f"a job takes {found:.0f} ms beyond its work"] if found > GOAL_MS else []


def run(work: Path, clip: bytes, rounds: int, requests: int) -> OverheadReport:
    """Sends so many of both kinds in each round."""
    waiting, asynchronous, processor = list[float](), list[float](), list[float]()
    with paced_server(work, clip, WORK_SECONDS) as client:
        kinds = client.transcribe, lambda: client.transcribe(**PREFERENCE)
        by_turns(WARM_UP, *kinds)
        for _ in range(rounds):
            request, job = by_turns(requests, *kinds)
            waiting.append(request)
            asynchronous.append(job)
            request, job = by_turns(requests, *kinds, client.processor_ms)
            processor.append(job - request)
    return OverheadReport(tuple(waiting), tuple(asynchronous), tuple(processor))
