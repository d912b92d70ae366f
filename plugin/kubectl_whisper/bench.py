"""Sends one recording many times, and says how long each took and how much audio the service transcribed meanwhile."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from kubectl_whisper.kube_api import KubeApi
from kubectl_whisper.transcribe import SentFile, transcribe


@dataclass(frozen=True)
class Measured:
    seconds: Sequence[float]
    """Of each request, from its begin to its last word, waits between tries included."""
    audio_seconds: float
    """Of all recordings together."""
    took: float
    """Seconds from the first request's begin to the last one's end."""
    tries: int
    """Requests that were sent again: the service was full, or a pod ended."""


@dataclass(frozen=True)
class BenchRow:
    """What was measured, in short."""

    requests: int
    sent_again: int
    median_seconds: float
    p95_seconds: float
    audio_seconds_a_second: float


@dataclass
class CountedTries:
    """A progress that shows nothing."""

    tries: list[str] = field(default_factory=list[str])

    def sent(self, size: int, total: int) -> None:
        """Nobody looks."""

    def transcribed(self, segments: list[dict[str, Any]]) -> None:
        """Nobody looks."""

    def tried(self, message: str, seconds: float) -> None:
        self.tries.append(message)


def measure(api: KubeApi, service: str, recording: SentFile, *, clients: int, requests: int) -> Measured:
    """`clients`: requests that are under way at once; raises Failure with the first request that fails."""
    progress = CountedTries()

    def one(_number: int) -> tuple[float, float]:
        started = time.perf_counter()
        answer = transcribe(api, service, recording, progress)
        return time.perf_counter() - started, answer["duration"]

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        found = list(pool.map(one, range(requests)))
    took = time.perf_counter() - started
    return Measured([seconds for seconds, _ in found], sum(audio for _, audio in found), took, len(progress.tries))


def bench_row(found: Measured) -> BenchRow:
    ordered = sorted(found.seconds)
    p95 = ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
    return BenchRow(
        requests=len(ordered),
        sent_again=found.tries,
        median_seconds=round(statistics.median(ordered), 2),
        p95_seconds=round(p95, 2),
        audio_seconds_a_second=round(found.audio_seconds / found.took, 1),
    )


def summary(row: BenchRow) -> str:
    """One fact a line."""
    return "\n".join(
        (
            f"requests         {row.requests}, and {row.sent_again} sent again",
            f"seconds, median  {row.median_seconds:.2f}",
            f"seconds, p95     {row.p95_seconds:.2f}",
            f"audio a second   {row.audio_seconds_a_second:.1f} s",
        )
    )
