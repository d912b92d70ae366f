"""python -m benchmarks.fairness: how long a client with two files waits beside one with 200.

A real front before two real servers whose engines are played: each transcribes one recording at a time, as long as it
says it takes. So what is measured is who is served when, and not how fast this machine is.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.against.checkouts import now_is
from testbed.paths import REPOSITORY
from tests.support import plain_http
from tests.support.running_process import FAKE_SERVER, FRONT, running
from tests.support.waiting import eventually_async
from whisper_runtime.service.place import BYTES_PER_SECOND

REPORT: Final = REPOSITORY / "docs/reports/fairness.md"
FILES, FEW, SERVERS = 200, 2, 2
RECORDING_SECONDS: Final = 2.0
"""That a server works on each file."""
RECORDING: Final = f"speech {RECORDING_SECONDS}".encode().ljust(int(RECORDING_SECONDS * BYTES_PER_SECOND))
"""As many bytes as that has at 128 kbit/s: by an upload's bytes a front tells how long it takes."""
GOAL: Final = 3.0
"""Times the wait in an idle service."""
KEYS: Final = {name: f"key-of-{name}" for name in ("many", "few")}
TIMEOUT_SECONDS: Final = 3600


@dataclass(frozen=True)
class Waits:
    """Seconds until the client with few files has them all, time by time."""

    idle: Sequence[float]
    beside: Sequence[float]
    left: Sequence[int]
    """Files of the other client that were not done yet, each time."""

    @property
    def ratio(self) -> float:
        """Of the longest one to the median in an idle service."""
        return max(self.beside) / statistics.median(self.idle)


async def measured(url: str, times: int) -> Waits:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=url, verify=plain_http.NO_AUTHORITIES, timeout=TIMEOUT_SECONDS, limits=limits
    ) as client:
        idle = [await _few(client) for _ in range(times)]
        many = [asyncio.create_task(_transcribed(client, "many")) for _ in range(FILES)]
        await eventually_async("some are done", lambda: any(one.done() for one in many), TIMEOUT_SECONDS)
        beside, left = list[float](), list[int]()
        for _ in range(times):
            left.append(sum(not one.done() for one in many))
            beside.append(await _few(client))
        await asyncio.gather(*many)
    return Waits(idle, beside, left)


async def _few(client: httpx.AsyncClient) -> float:
    began = time.perf_counter()
    await asyncio.gather(*(_transcribed(client, "few") for _ in range(FEW)))
    return time.perf_counter() - began


async def _transcribed(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.post("/transcribe", files={"file": RECORDING}, headers={"X-API-Key": KEYS[name]})
    answer.raise_for_status()


def run(work: Path, times: int) -> Waits:
    (work / "keys").mkdir()
    for name, key in KEYS.items():
        (work / "keys" / name).write_text(key)
    config: dict[str, Any] = {"log_level": "error", "api_keys_dir": str(work / "keys")}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(running(FAKE_SERVER, work / f"server {number}", max_batch_size=1, **config))
            for number in range(SERVERS)
        ]
        targets = ",".join(server.as_target for server in servers)
        front = stack.enter_context(
            running(FRONT, work / "front", servers=targets, request_timeout_seconds=TIMEOUT_SECONDS, **config)
        )
        return asyncio.run(measured(front.clients, times))


def text(found: Waits) -> str:
    idle = statistics.median(found.idle)
    each = zip(found.left, found.beside, strict=True)
    rows = "".join(f"| {number} | {seconds:.1f} | {seconds / idle:.1f} |\n" for number, seconds in each)
    return f"""\
A front before {SERVERS} servers, each of which transcribes one recording at a time, for {RECORDING_SECONDS:.0f} s. One
client has sent {FILES} files at once; another sends {FEW}, again and again, and waits for both. In an idle service that
takes it {idle:.1f} s. Beside the other client it takes at most {found.ratio:.1f} times as long; the goal is {GOAL:.0f}.

| files of the other client that are left | seconds | times an idle service |
|---|---|---|
{rows}
Played is the engine alone, which takes recordings as they come, whoever has sent them: whose turn it is, the front
decides. The real one takes turns, too.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fairness", description=__doc__)
    parser.add_argument("--times", type=int, default=12)
    parser.add_argument("--report", type=Path, default=REPORT)
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        found = run(Path(name), asked.times)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    asked.report.write_text(
        f"# How long a client with two files waits beside one with {FILES}\n\n"
        f"`make bench-fairness` at {now_is()} on {today}, on {os.cpu_count()} processors that other programs used as "
        f"well:\nthe load was {load:.1f} before and {os.getloadavg()[0]:.1f} after.\n\n{text(found)}"
    )
    print(asked.report.read_text())
    if found.ratio > GOAL:
        sys.exit(f"{found.ratio:.1f} times the wait in an idle service, and not {GOAL:.0f}")


if __name__ == "__main__":
    main()
