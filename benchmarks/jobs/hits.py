"""What a kept result takes: the same ten minutes of audio again and again, from their last byte to the answer."""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.jobs.clients import PATH, JobClient, paced_server
from benchmarks.load.client import AudioFile

GOAL_MS: Final = 10.0
WORK_SECONDS: Final = 0.05
CACHE_BYTES: Final = 64 * 1024**2
FORMATS: Final = ("json", "verbose_json")
LAST_BYTES: Final = 1024
"""What is sent last, once the server has read the rest: a network brings a file more slowly than it is read."""
READ_SECONDS: Final = 0.3
BOUNDARY: Final = "benchmark"


@dataclass
class HitTimes:
    """The median of each round, in ms."""

    answer: list[float] = field(default_factory=list[float])
    """From the last byte on."""
    processor: list[float] = field(default_factory=list[float])
    """Of the server's processors, from the last byte on."""
    whole: list[float] = field(default_factory=list[float])
    """Of the server's processors, from the first byte on."""


@dataclass
class HitReport:
    kinds: dict[tuple[str, str], HitTimes]
    """By file and response format."""

    @property
    def is_telling(self) -> bool:
        """Whether the server waited less than it worked; else the machine was too busy."""
        return all(median(one.answer) <= 2 * median(one.processor) for one in self.kinds.values())

    @property
    def problems(self) -> list[str]:
        found = {kind: median(times.answer) for kind, times in self.kinds.items()}
        return [f"a kept result takes {ms:.0f} ms ({', '.join(kind)})" for kind, ms in found.items() if ms > GOAL_MS]


def run(work: Path, files: Sequence[AudioFile], rounds: int, requests: int) -> HitReport:
    """So many requests of each kind in each round."""
    report = HitReport({(file.name, form): HitTimes() for file in files for form in FORMATS})
    with paced_server(work, files[0].content, WORK_SECONDS, result_cache_max_bytes=CACHE_BYTES) as client:
        for file in files:
            _take(client, file, FORMATS[0], kept=False)
        for _ in range(rounds):
            for file in files:
                for form in FORMATS:
                    _note(report.kinds[file.name, form], [_take(client, file, form) for _ in range(requests)])
    return report


def _note(times: HitTimes, taken: Sequence[tuple[float, float, float]]) -> None:
    for kept, found in zip((times.answer, times.processor, times.whole), zip(*taken, strict=True), strict=True):
        kept.append(median(found))


def _take(client: JobClient, file: AudioFile, form: str, *, kept: bool = True) -> tuple[float, float, float]:
    """What one request takes, as HitTimes has it; raises RuntimeError where its result was not `kept` as expected."""
    body = _body(file, form)
    connection = http.client.HTTPConnection("127.0.0.1", client.process.port, timeout=120)
    before = client.process.processor_ms
    connection.putrequest("POST", PATH)
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body[:-LAST_BYTES])
    time.sleep(READ_SECONDS)
    read, began = client.process.processor_ms, time.perf_counter()
    connection.send(body[-LAST_BYTES:])
    answer = connection.getresponse()
    answer.read()
    seconds, after = time.perf_counter() - began, client.process.processor_ms
    connection.close()
    found = answer.headers["cache-status"] or ""
    if answer.status != 200 or ("; hit" in found) is not kept:
        raise RuntimeError(f"{file.name} got {answer.status}, and {found!r} of the results that are kept")
    return 1000 * seconds, after - read, after - before


def _body(file: AudioFile, form: str) -> bytes:
    fields = {"model": "base", "response_format": form}
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    head = "".join(f"--{BOUNDARY}\r\n{part}" for part in parts)
    file_head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
    return f"{head}{file_head}".encode() + file.content + f"\r\n--{BOUNDARY}--\r\n".encode()
