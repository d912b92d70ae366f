"""python -m benchmarks.load.kept: what an answer takes on a kept connection, beside an earlier commit.

The engine is a fake that works for a known time, so that the rest is the server's own: connection, upload, form, disk,
answer. Two processes take turns.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx

from benchmarks.against.checkouts import builds, now_is
from benchmarks.against.samples import BuildSamples
from testbed.cluster.controlplane import free_ports
from testbed.paths import REPOSITORY
from whisper_runtime.contract.config import RuntimeConfig

BEFORE: Final = "8d76ea2~1"
"""The last commit whose answers waited for an acknowledgement."""
REPORT: Final = REPOSITORY / "docs/reports/runtime-connections.md"
START_SECONDS: Final = 120
WORK_SECONDS: Final = 0.05
PADDING: Final = 300_000
"""Bytes of an upload, as many as a minute of compressed speech has."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.kept", description=__doc__)
    parser.add_argument("--commit", default=BEFORE)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=50, help="of each kind in a round")
    parsed = parser.parse_args()
    models = BuildSamples("`GET /v1/models`, p50 ms")
    added = BuildSamples("a transcription, p50 ms beyond the engine's work")
    with builds(parsed.commit) as found, ExitStack() as stack:
        up = {name: stack.enter_context(_running(checkout)) for name, checkout in found.in_turns(1)}
        for _ in range(parsed.rounds):
            for name, http in up.items():
                models.add(name, _p50(parsed.requests, lambda http=http: _get(http)))
                taken = _p50(parsed.requests, lambda http=http: _transcribe(http))
                added.add(name, taken - 1000 * WORK_SECONDS)
    REPORT.write_text(_markdown([(models, "≤ 5"), (added, "≤ 8")], parsed.commit))
    print(REPORT.read_text())


@contextmanager
def _running(checkout: Path) -> Generator[httpx.Client]:
    """A client, with one connection, of that build's server around the fake engine; raises TimeoutError."""
    port, probes = free_ports(2)
    config = RuntimeConfig(port=port, metrics_port=probes, drain_seconds=0, log_level="error").to_env()
    command, path = (sys.executable, "-m", "tests.fakes.process"), str(checkout / "runtime")
    # From its own folder, by which the interpreter finds the fakes of that build.
    process = subprocess.Popen(command, env={**os.environ, **config, "PYTHONPATH": path}, cwd=checkout)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", limits=httpx.Limits(max_connections=1)) as http:
            _wait_until_it_answers(http)
            yield http
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_answers(http: httpx.Client) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        try:
            if http.get("/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"the server is not ready after {START_SECONDS} s")


def _get(http: httpx.Client) -> None:
    http.get("/v1/models").raise_for_status()


def _transcribe(http: httpx.Client) -> None:
    content = f"speech {WORK_SECONDS}".encode() + b" " * PADDING
    http.post("/transcribe", files={"file": content}).raise_for_status()


def _p50(requests: int, send: Callable[[], None]) -> float:
    """Milliseconds of the median request."""
    taken: list[float] = []
    for _ in range(requests):
        started = time.perf_counter()
        send()
        taken.append(time.perf_counter() - started)
    return 1000 * statistics.median(taken)


def _markdown(rows: list[tuple[BuildSamples, str]], commit: str) -> str:
    now = now_is()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    table = "".join(
        f"| {samples.quantity} | {samples.shown('before')} | {samples.shown('now')} | {goal} |\n"
        for samples, goal in rows
    )
    return f"""\
# Answers on a kept connection

`make bench-connections` at {now} on {today}, beside {commit}: a client with one connection, to a server whose engine is
a fake that works for {1000 * WORK_SECONDS:.0f} ms, on {os.cpu_count()} processors; uploads have {PADDING // 1000} kB.
Medians of the rounds, which the two builds take in turns, with the smallest and the largest in brackets.

| quantity | before | now | goal |
|---|---|---|---|
{table}"""


if __name__ == "__main__":
    main()
