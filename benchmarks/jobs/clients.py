"""A server around the engine of a known speed, and a client of it with one connection."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.jobs.server import WORK_SECONDS
from testbed.cluster.controlplane import free_ports
from testbed.paths import REPOSITORY
from testbed.runtime_process import RuntimeProcess
from whisper_runtime.contract.config import RuntimeConfig

START_SECONDS: Final = 600
"""Of a machine that is busy with other things; a start takes some seconds."""
PATH: Final = "/v1/audio/transcriptions"
ASYNCHRONOUSLY: Final = {"Prefer": "respond-async"}
FORM: Final = {"model": "base"}


Measure = Callable[[Callable[[], object]], float]
"""Makes a request, and returns what that took."""


@dataclass(frozen=True)
class JobClient:
    http: httpx.Client
    process: RuntimeProcess
    clip: bytes

    def transcribe(self, **headers: str) -> httpx.Response:
        """The response to the clip; raises httpx.HTTPStatusError."""
        answer = self.http.post(PATH, files={"file": self.clip}, data=FORM, headers=headers)
        return answer.raise_for_status()

    def submit(self) -> str:
        """The path of a job of the clip."""
        return self.transcribe(**ASYNCHRONOUSLY).headers["location"]

    def wait_until_at_rest(self) -> None:
        """Returns once no job of the client is to be done."""
        while any(self.get(PATH, status=state, limit=1)["data"] for state in ("queued", "in_progress")):
            time.sleep(0.1)

    def processor_ms(self, send: Callable[[], object]) -> float:
        """What the request takes of the server's processors until it is answered; nothing of ffmpeg's."""
        before = self.process.processor_ms
        send()
        return self.process.processor_ms - before

    def get(self, path: str, **parameters: Any) -> Any:
        return self.http.get(path, params=parameters).raise_for_status().json()


@contextmanager
def paced_server(directory: Path, clip: bytes, work_seconds: float, **settings: Any) -> Generator[JobClient]:
    """A server that keeps jobs in `directory`, once it is ready; `settings` are further fields of RuntimeConfig.

    Raises RuntimeError where it does not become ready.
    """
    port, probes = free_ports(2)
    directories = {"jobs_dir": str(directory / "jobs")}
    config = RuntimeConfig(
        port=port, metrics_port=probes, drain_seconds=0, log_level="error", **directories, **settings
    )
    environment = {**os.environ, **config.to_env(), WORK_SECONDS: str(work_seconds)}
    environment["PYTHONPATH"] = f"{REPOSITORY / 'runtime'}:{REPOSITORY}"
    process = subprocess.Popen((sys.executable, "-m", "benchmarks.jobs.server"), env=environment, cwd=REPOSITORY)
    try:
        base, limits = f"http://127.0.0.1:{port}", httpx.Limits(max_connections=1)
        with httpx.Client(base_url=base, limits=limits, timeout=120) as http:
            client = JobClient(http, RuntimeProcess(port, probes, process, directory), clip)
            _wait_until_ready(client)
            yield client
    finally:
        process.terminate()
        process.wait()


def milliseconds(send: Callable[[], object]) -> float:
    """What the request takes."""
    started = time.perf_counter()
    send()
    return 1000 * (time.perf_counter() - started)


def by_turns(
    requests: int, first: Callable[[], object], second: Callable[[], object], measure: Measure = milliseconds
) -> tuple[float, float]:
    """The median ms of either kind of request, of which so many are sent in pairs: what slows one slows the other."""
    pairs = [(measure(first), measure(second)) for _ in range(requests)]
    return statistics.median(one for one, _ in pairs), statistics.median(two for _, two in pairs)


def _wait_until_ready(client: JobClient) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and client.process.process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if client.http.get(f"{client.process.metrics_url}/ready").status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server has ended, or is not ready after {START_SECONDS} s")
