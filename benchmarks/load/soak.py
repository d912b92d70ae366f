"""Many requests one after another: nothing that the process holds may grow with them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.load import speeches
from benchmarks.load.client import Speech, ask
from benchmarks.load.process import Held, Runtime

WARM_UP: Final = 0.1
"""Of the requests, before the first measurement: allocators and caches fill."""
SAMPLES: Final = 40
GROWTH: Final = 2
"""Descriptors or threads that may be more at one moment than at another: a decoder is running, a file just ends."""


@dataclass(frozen=True)
class Report:
    requests: int
    wrong: tuple[str, ...]
    held: tuple[tuple[int, Held], ...]
    """What the process held after so many requests."""
    scratch_left: int

    @property
    def problems(self) -> list[str]:
        """What was answered wrong, and what grew."""
        first, last = self.held[0][1], self.held[-1][1]
        grown = {
            "descriptors": last.descriptors - first.descriptors > GROWTH,
            "threads": last.threads - first.threads > GROWTH,
            "files in scratch": self.scratch_left > 0,
        }
        return [*self.wrong, *(f"{what} grew" for what, grew in grown.items() if grew)]

    @property
    def memory_slope(self) -> float:
        """MiB for each 1,000 requests, by least squares."""
        numbers = [number for number, _ in self.held]
        fit = statistics.linear_regression(numbers, [held.memory_mib for _, held in self.held])
        return fit.slope * 1000


async def run(runtime: Runtime, work: Path, requests: int) -> Report:
    """Sends `requests` one after another, and notes what the process holds on the way."""
    files = [replace(file, text=(await ask(runtime.port, file)).text) for file in speeches.mixed(work)]
    for number in range(int(requests * WARM_UP)):
        await ask(runtime.port, files[number % len(files)])
    wrong: list[str] = []
    held = [(0, runtime.held)]
    for number in range(requests):
        wrong += await _wrong(runtime.port, files[number % len(files)])
        if (number + 1) % max(1, requests // SAMPLES) == 0:
            held.append((number + 1, runtime.held))
    return Report(requests, tuple(wrong), tuple(held), len(list(runtime.scratch.iterdir())))


async def _wrong(port: int, file: Speech) -> list[str]:
    outcome = await ask(port, file)
    right = outcome.status == 200 and outcome.text == file.text
    return [] if right else [f"{file.name}: {outcome.status} {outcome.code} {outcome.text!r}"]


def markdown(report: Report) -> str:
    """The report, as it is committed."""
    rows = "".join(
        f"| {number} | {held.memory_mib:.1f} | {held.descriptors} | {held.threads} |\n"
        for number, held in report.held[:: max(1, len(report.held) // 10)]
    )
    problems = "".join(f"- {problem}\n" for problem in report.problems[:50]) or "None.\n"
    return f"""\
# A thousand requests

Written by `python -m benchmarks.load soak`. One runtime process with `tiny.en` on a CPU; {report.requests} requests one
after
another, 3 to 11 s of speech in five formats, after {WARM_UP:.0%} as many to warm up.

Memory's slope: {report.memory_slope:+.2f} MiB for each 1,000 requests (anonymous memory, least squares over
{len(report.held)} measurements). Files left in scratch: {report.scratch_left}.

| after requests | memory MiB | descriptors | threads |
|---|---|---|---|
{rows}
## What should not have happened

{problems}"""
