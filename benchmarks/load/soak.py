"""Many requests one after another: the memory, descriptors and threads of the process may not grow with them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.load import audio_files
from benchmarks.load.client import AudioFile, ask
from testbed.runtime_process import ProcessUsage, RuntimeProcess

WARM_UP: Final = 0.1
"""Share of the requests that are sent before the first measurement, while allocators and caches fill."""
SAMPLES: Final = 40
GROWTH: Final = 2
"""Allowed growth of descriptors or threads between two moments: a decoder is running, a file just ends."""


@dataclass(frozen=True)
class SoakReport:
    requests: int
    wrong: tuple[str, ...]
    usage: tuple[tuple[int, ProcessUsage], ...]
    """(number of requests so far, usage after them)."""
    scratch_left: int

    @property
    def problems(self) -> list[str]:
        """Wrong answers, and resources that grew."""
        first, last = self.usage[0][1], self.usage[-1][1]
        grown = {
            "descriptors": last.descriptors - first.descriptors > GROWTH,
            "threads": last.threads - first.threads > GROWTH,
            "files in scratch": self.scratch_left > 0,
        }
        return [*self.wrong, *(f"{what} grew" for what, grew in grown.items() if grew)]

    @property
    def memory_slope(self) -> float:
        """MiB for each 1,000 requests, by least squares."""
        numbers = [number for number, _ in self.usage]
        fit = statistics.linear_regression(numbers, [usage.memory_mib for _, usage in self.usage])
        return fit.slope * 1000


async def run(runtime: RuntimeProcess, work: Path, requests: int) -> SoakReport:
    """Sends `requests` requests one after another, and records the usage of the process on the way."""
    files = [replace(file, text=(await ask(runtime.port, file)).text) for file in audio_files.mixed(work)]
    for number in range(int(requests * WARM_UP)):
        await ask(runtime.port, files[number % len(files)])
    wrong: list[str] = []
    usage = [(0, runtime.usage)]
    for number in range(requests):
        wrong += await _wrong(runtime.port, files[number % len(files)])
        if (number + 1) % max(1, requests // SAMPLES) == 0:
            usage.append((number + 1, runtime.usage))
    return SoakReport(requests, tuple(wrong), tuple(usage), len(list(runtime.scratch.iterdir())))


async def _wrong(port: int, file: AudioFile) -> list[str]:
    outcome = await ask(port, file)
    right = outcome.status == 200 and outcome.text == file.text
    return [] if right else [f"{file.name}: {outcome.status} {outcome.code} {outcome.text!r}"]


def markdown(report: SoakReport, model: str) -> str:
    """The report, as it is committed; `model` is the server's."""
    rows = "".join(
        f"| {number} | {usage.memory_mib:.1f} | {usage.descriptors} | {usage.threads} |\n"
        for number, usage in report.usage[:: max(1, len(report.usage) // 10)]
    )
    problems = "".join(f"- {problem}\n" for problem in report.problems[:50]) or "None.\n"
    return f"""\
# A thousand requests

Written by `python -m benchmarks.load soak`. One runtime process with `{model}` on a CPU; {report.requests} requests one
after another, 3 to 11 s of speech in five formats, after {WARM_UP:.0%} as many to warm up.

Memory's slope: {report.memory_slope:+.2f} MiB for each 1,000 requests (anonymous memory, least squares over
{len(report.usage)} measurements). Files left in scratch: {report.scratch_left}.

| after requests | memory MiB | descriptors | threads |
|---|---|---|---|
{rows}
## What should not have happened

{problems}"""
