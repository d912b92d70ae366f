"""Two runtime processes are asked for the same recording: one transcribes it, and if that dies, the other does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import httpx2
import openai
import pytest

from testbed.cluster.controlplane import free_ports
from testbed.paths import REPOSITORY
from testbed.store_server import StoreServer, running
from tests.runtime.conftest import speech
from tests.support.waiting import eventually
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.network import STORE_PATH

pytestmark = pytest.mark.slow
SECONDS = 120
ENDLESS = 1e6
PATH = "/v1/audio/transcriptions"


@dataclass
class SharingPod:
    url: str
    metrics_url: str
    process: subprocess.Popen[bytes]

    def ask(self) -> httpx.Response:
        return httpx.post(f"{self.url}{PATH}", files=speech(), data={"model": "base"}, timeout=SECONDS)

    def is_in_use(self) -> bool:
        try:
            return httpx.get(f"{self.metrics_url}{STORE_PATH}").json()["reason"] == "StoreInUse"
        except httpx.TransportError:
            return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    with running("valkey", tmp_path / "server") as found:
        yield found


StartSharing = Callable[[float], SharingPod]


@pytest.fixture
def start(server: StoreServer, tmp_path: Path) -> Iterator[StartSharing]:
    """Starts a pod whose model takes two windows of so many seconds for a recording."""
    (tmp_path / "url").write_text(server.url)
    with ExitStack() as started:

        def pod(window_seconds: float) -> SharingPod:
            port, metrics_port = free_ports(2)
            config = RuntimeConfig(
                port=port,
                metrics_port=metrics_port,
                result_cache_max_bytes=1_000_000,
                redis_url_file=str(tmp_path / "url"),
                redis_prefix="team/speech",
                drain_seconds=0,
            )
            process = started.enter_context(
                subprocess.Popen(
                    (sys.executable, "-m", "tests.fakes.sharing_process", str(window_seconds)),
                    cwd=REPOSITORY,
                    env={**os.environ, **config.to_env(), "PYTHONPATH": "operator:runtime:."},
                    stderr=started.enter_context((tmp_path / f"{port}.log").open("wb")),
                )
            )
            started.callback(process.kill)
            found = SharingPod(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}", process)
            eventually("the pod uses the store", found.is_in_use, SECONDS)
            return found

        yield pod


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as found:
        yield found


def begun(pod: SharingPod, server: StoreServer, pool: ThreadPoolExecutor) -> Future[httpx.Response]:
    """A request that the pod works at."""
    asked = pool.submit(pod.ask)
    eventually("its turn has begun", lambda: server.ask("KEYS", "*:flight:*"), SECONDS)
    return asked


def test_the_second_request_has_the_result_of_the_first_which_is_transcribed_once(
    start: StartSharing, server: StoreServer, pool: ThreadPoolExecutor
) -> None:
    one, other = start(5.0), start(ENDLESS)
    first = begun(one, server, pool)
    second = other.ask()  # its own model would never end
    assert second.json() == first.result().json() == {"text": "2.5 s", "usage": first.result().json()["usage"]}
    assert first.result().headers["cache-status"] == "whisper; fwd=miss; stored"
    assert second.headers["cache-status"] == "whisper; fwd=miss; collapsed"


def test_the_request_of_a_pod_that_dies_is_transcribed_by_the_one_that_waits(
    start: StartSharing, server: StoreServer, pool: ThreadPoolExecutor
) -> None:
    stuck, well = start(ENDLESS), start(0.01)
    first = begun(stuck, server, pool)
    second = pool.submit(well.ask)
    stuck.process.kill()
    assert isinstance(first.exception(SECONDS), httpx.TransportError)
    assert second.result(SECONDS).headers["cache-status"] == "whisper; fwd=miss; stored"


class InTurns(httpx2.BaseTransport):
    """A balancer that sends each try to the next pod."""

    def __init__(self, pods: list[SharingPod]) -> None:
        self._urls = [httpx2.URL(pod.url) for pod in pods]
        self._transport = httpx2.HTTPTransport()
        self.tries = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = self._urls[self.tries % len(self._urls)]
        self.tries += 1
        request.url = request.url.copy_with(port=url.port)
        return self._transport.handle_request(request)

    def close(self) -> None:
        self._transport.close()


def test_the_official_clients_retry_at_another_pod_has_its_text(start: StartSharing, server: StoreServer) -> None:
    """The first pod lets go of its turn when the client has given up."""
    transport = InTurns([start(ENDLESS), start(0.01)])
    with (
        httpx2.Client(transport=transport) as http,
        openai.OpenAI(base_url="http://127.0.0.1/v1", api_key="none", timeout=2.0, http_client=http) as client,
    ):
        answer = client.audio.transcriptions.create(model="base", file=("a.wav", b"speech 2.5"))
    assert (answer.text, transport.tries) == ("2.5 s", 2)
    eventually("nobody has the turn", lambda: not server.ask("KEYS", "*:flight:*"), SECONDS)
