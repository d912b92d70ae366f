"""A client with short clips, alone and beside a recording of ten minutes that is in work."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.load import audio_files
from benchmarks.load.client import AudioFile, RequestOutcome, ask
from testbed.runtime_process import RuntimeProcess

GOAL: Final = 2.0
"""At most so many times as long as alone."""
BEGIN_SECONDS: Final = 120
WARM_UP: Final = 2


@dataclass(frozen=True)
class BesideReport:
    alone: tuple[RequestOutcome, ...]
    beside: tuple[RequestOutcome, ...]
    is_still_in_work: bool
    """Whether the long recording was, when the last short clip was answered."""

    @property
    def times(self) -> float:
        """The median latency beside the long recording, by that alone."""
        return _median(self.beside) / _median(self.alone)

    @property
    def problems(self) -> list[str]:
        refused = [f"{one.status} {one.code}" for one in (*self.alone, *self.beside) if one.status != 200]
        slow = [f"{self.times:.2f} times as long as alone"] if self.times > GOAL else []
        return refused + slow + ([] if self.is_still_in_work else ["the long recording ended too soon"])


async def run(runtime: RuntimeProcess, work: Path, requests: int) -> BesideReport:
    """Sends so many short clips, one after the other, and as many again once the long recording is in work."""
    short, long = audio_files.short(work), audio_files.long(work)
    await _one_by_one(runtime.port, short, WARM_UP)
    alone = await _one_by_one(runtime.port, short, requests)
    in_work = asyncio.create_task(ask(runtime.port, long))
    try:
        await _begun(runtime)
        beside = await _one_by_one(runtime.port, short, requests)
        return BesideReport(alone, beside, not in_work.done())
    finally:
        in_work.cancel()


async def _one_by_one(port: int, file: AudioFile, requests: int) -> tuple[RequestOutcome, ...]:
    return tuple([await ask(port, file) for _ in range(requests)])


async def _begun(runtime: RuntimeProcess) -> None:
    """Returns once a row decodes; raises TimeoutError."""
    before, ends = runtime.metric("whisper_decode_steps_total"), time.monotonic() + BEGIN_SECONDS
    while time.monotonic() < ends:
        if await asyncio.to_thread(runtime.metric, "whisper_decode_steps_total") > before:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"the long recording is not in work after {BEGIN_SECONDS} s")


def markdown(report: BesideReport, model: str) -> str:
    """The report; `model` is that of the server."""
    alone, beside = (sorted(one.seconds for one in part) for part in (report.alone, report.beside))
    refused = sum(one.status != 200 for one in report.beside)
    return f"""\
# Short clips beside a long recording

`make bench-beside`: {model}, {os.cpu_count()} processors; a client sends five seconds of speech {len(alone)} times,
one after the other, to a server with nothing else to do, and again beside a recording of ten minutes in work. Refused:
{refused}.

| | median s | least | most |
|---|---|---|---|
| alone | {statistics.median(alone):.2f} | {alone[0]:.2f} | {alone[-1]:.2f} |
| beside ten minutes | {statistics.median(beside):.2f} | {beside[0]:.2f} | {beside[-1]:.2f} |

{report.times:.2f} times as long; the goal is at most {GOAL:.0f}.
"""


def _median(outcomes: tuple[RequestOutcome, ...]) -> float:
    return statistics.median(one.seconds for one in outcomes)
