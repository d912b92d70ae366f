"""The row of the runtime: requests that one server answers in a second."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.against.checkouts import Builds
from benchmarks.against.samples import BuildSamples
from benchmarks.load.client import AudioFile, ask
from testbed import runtime_process
from testbed.inputs import recordings

CLIENTS: Final = 8
MODEL: Final = "tiny.en"


def requests(builds: Builds, requests: int, rounds: int) -> BuildSamples:
    """Requests in a second of `CLIENTS` clients with a recording of 11 s; raises AssertionError where one fails."""
    found = BuildSamples(f"requests/s, {MODEL}, {CLIENTS} clients", higher_is_better=True)
    file = AudioFile("jfk.wav", (recordings.ensure() / "jfk.wav").read_bytes(), recordings.JFK_WORDS)
    for name, checkout in builds.in_turns(rounds):
        with (
            tempfile.TemporaryDirectory() as directory,
            runtime_process.running(Path(directory), checkout=checkout) as runtime,
        ):
            asyncio.run(_answered(runtime.port, file, CLIENTS))
            started = time.perf_counter()
            asyncio.run(_answered(runtime.port, file, requests))
            found.add(name, requests / (time.perf_counter() - started))
    return found


async def _answered(port: int, file: AudioFile, count: int) -> None:
    """Sends `count` requests, `CLIENTS` at a time."""
    waiting = iter(range(count))

    async def client() -> None:
        for _ in waiting:
            outcome = await ask(port, file)
            assert outcome.status == 200, f"a request was answered {outcome.status} {outcome.code}"

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client())
