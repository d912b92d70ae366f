"""A runtime process, or a front, with its two ports, for tests of its life."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from testbed.cluster.controlplane import free_ports
from tests.support import plain_http
from tests.support.waiting import eventually
from whisper_runtime.contract.config import RuntimeConfig

SECONDS: Final = 180
"""Longer than anything takes on any machine; a start, too, which imports torch beside whatever else is computed."""
FAKE_SERVER: Final = ("-m", "tests.fakes.process")
FRONT: Final = ("-m", "whisper_runtime", "front")


@dataclass
class RunningProcess:
    running: subprocess.Popen[bytes]
    clients: str
    cluster: str
    log: Path

    @property
    def clients_port(self) -> int:
        return int(self.clients.rpartition(":")[2])

    @property
    def as_target(self) -> str:
        """What names it in WHISPER_SERVERS."""
        return f"{self.clients.removeprefix('http://')}:{self.cluster.rpartition(':')[2]}"

    def ready(self) -> int:
        """The status of /ready; 0 where no server answers."""
        try:
            return plain_http.get(f"{self.cluster}/ready", timeout=SECONDS).status_code
        except httpx.TransportError:
            return 0

    def transcribe(self, seconds: float, **options: Any) -> httpx.Response:
        """The answer to a recording that takes so long; `options`: as `httpx.post` takes them."""
        files = {"file": f"speech {seconds}".encode()}
        return plain_http.post(f"{self.clients}/transcribe", files=files, timeout=SECONDS, **options)

    def in_the_background(self, seconds: float) -> Callable[[], httpx.Response]:
        """Sends a request, and returns once the server has it; calling the result waits for its answer."""
        before = self.busy()
        answer = answered_later(lambda: self.transcribe(seconds))
        eventually("the server has the request", lambda: self.busy() > before, SECONDS)
        return answer

    def busy(self) -> float:
        return self.metric("whisper_oldest_wait_seconds")

    def metric(self, name: str) -> float:
        """The value of a metric's only series, or of the one that `name` has the labels of; 0 where it has none."""
        scraped = plain_http.get(f"{self.cluster}/metrics", timeout=SECONDS).text
        return sum(float(line.split()[1]) for line in scraped.splitlines() if line.startswith(f"{name} "))


def answered_later(request: Callable[[], httpx.Response]) -> Callable[[], httpx.Response]:
    """Sends a request from a thread; calling the result waits for its answer."""
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(request()))
    thread.start()

    def answer() -> httpx.Response:
        thread.join(SECONDS)
        return answers[0]

    return answer


@contextmanager
def running(
    program: tuple[str, ...], log: Path, *, port: int = 0, metrics_port: int = 0, **config: Any
) -> Generator[RunningProcess]:
    """A process of that program, which is ready, until the block ends; a port of 0: any. `config`: of RuntimeConfig."""
    free, another = free_ports(2)
    port, metrics_port = port or free, metrics_port or another
    environment = RuntimeConfig(port=port, metrics_port=metrics_port, **config).to_env()
    with log.open("ab") as file:
        started = subprocess.Popen((sys.executable, *program), env={**os.environ, **environment}, stderr=file)
    process = RunningProcess(started, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}", log)
    try:
        eventually("the process is ready", lambda: process.ready() == 200, SECONDS)
        yield process
    finally:
        started.kill()
        started.wait()
