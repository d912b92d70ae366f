"""Clients that send the same ten minutes of audio at once: how much of it is transcribed."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from benchmarks.jobs.clients import FORM, PATH, paced_server
from benchmarks.load.client import AudioFile
from whisper_runtime.contract.metric_names import CLIENT_AUDIO_METRIC

CLIENTS: Final = 10
WORK_SECONDS: Final = 5.0
"""Of the engine: long enough for all of them to come before it is done."""
CACHE_BYTES: Final = 64 * 1024**2
MOST_TIMES: Final = 1.01
"""A recording's end is rounded."""


@dataclass(frozen=True)
class TogetherReport:
    file_seconds: float
    transcribed_seconds: float
    """Of all that the model did for them."""
    outcomes: Counter[str]
    """Answers by what the cache says that it did."""

    @property
    def transcriptions(self) -> float:
        return self.transcribed_seconds / self.file_seconds

    @property
    def problems(self) -> list[str]:
        found = [f"{number} clients got {one}" for one, number in self.outcomes.items() if one not in ("miss", "known")]
        many = self.transcriptions > MOST_TIMES
        return [*found, *([f"{CLIENTS} clients took {self.transcriptions:.1f} transcriptions"] if many else [])]


def run(work: Path, file: AudioFile, file_seconds: float) -> TogetherReport:
    """Sends `file`, of so many seconds, from all clients at once; the server keeps results."""
    with (
        paced_server(work, file.content, WORK_SECONDS, result_cache_max_bytes=CACHE_BYTES) as client,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        outcomes = Counter(pool.map(_sent, [client.process.url] * CLIENTS, [file] * CLIENTS))
        return TogetherReport(file_seconds, client.process.metric(CLIENT_AUDIO_METRIC), outcomes)


def _sent(url: str, file: AudioFile) -> str:
    """What the cache did for one client: `miss`, `known` where it ran nothing; else the status."""
    answer = httpx.post(f"{url}{PATH}", files={"file": (file.name, file.content)}, data=FORM, timeout=120)
    if answer.status_code != 200:
        return str(answer.status_code)
    done = answer.headers["cache-status"]
    return "known" if "; hit" in done or "collapsed" in done else "miss"
