"""Requests through real proxies, led by what the operator writes: words and the service's own answers come through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from testbed.cluster.controlplane import ControlPlane
from testbed.inputs.recordings import JFK_WORDS
from testbed.runtime_process import RuntimeProcess
from tests.support import plain_http, slow_upload, traefik
from tests.support.kubectl import Kubectl
from tests.support.neighbour_plane import TRANSCRIPTIONS, transcribe
from tests.support.waiting import eventually
from whisper_runtime.contract.network import BALANCER_PATH, METRICS_PATH, READY_PATH

WAYS = {
    "an Ingress of traefik's": "ingress.example.com",
    "an Ingress of nginx'": "nginx.example.com",
    "a Gateway": "gateway.example.com",
}


@pytest.fixture(scope="module")
def url(plane: ControlPlane, services: Kubectl, runtime: RuntimeProcess) -> Iterator[str]:
    """traefik's, once it serves all ways."""
    with traefik.running(plane, services) as found:
        for name, host in WAYS.items():
            eventually(f"{name} leads to the service", lambda host=host: is_open(found.url, host))
        yield found.url


def is_open(url: str, host: str) -> bool:
    try:
        return plain_http.get(f"{url}{BALANCER_PATH}", headers={"Host": host}).status_code == 200
    except httpx.ConnectError:
        return False


@dataclass(frozen=True)
class Way:
    url: str
    host: str

    def get(self, path: str) -> int:
        return plain_http.get(f"{self.url}{path}", headers={"Host": self.host}).status_code

    def transcribe(self, recording: bytes, **more: str) -> httpx.Response:
        return transcribe(self.url, recording, self.host, **more)


@pytest.fixture(params=WAYS.values(), ids=WAYS.keys())
def way(url: str, request: pytest.FixtureRequest) -> Way:
    return Way(url, request.param)


def words(text: str) -> str:
    return " ".join("".join(one for one in text.lower() if one.isalpha() or one == " ").split())


def test_speech_comes_back_as_words(way: Way, jfk: bytes) -> None:
    answer = way.transcribe(jfk)
    assert (answer.status_code, words(answer.json()["text"])) == (200, words(JFK_WORDS))


def test_words_are_streamed(way: Way, jfk: bytes) -> None:
    answer = way.transcribe(jfk, stream="true")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "transcript.text.done" in answer.text


def test_a_recording_that_is_too_large_gets_413(way: Way) -> None:
    assert way.transcribe(bytes(3 * 2**20)).status_code == 413


def test_one_that_is_barely_allowed_is_let_in(way: Way) -> None:
    """The server itself says that it is no audio."""
    assert way.transcribe(bytes(2**20 - 1000)).status_code == 400


def test_a_full_queue_arrives_as_429_with_its_time(way: Way, jfk: bytes) -> None:
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: way.transcribe(jfk), range(8)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {200, 429}
    for answer in refused:
        assert answer.json()["error"]["code"] in ("queue_full", "client_share_full")
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("host", [WAYS["an Ingress of traefik's"], WAYS["a Gateway"]])
def test_an_upload_that_is_too_slow_gets_the_servers_own_answer(url: str, host: str) -> None:
    """Late: a server in Go reads on before it passes an answer on, up to 256 KiB or to the end of its read time-out.

    Where traefik stands for nginx it reads the whole body first, and the server never sees the request.
    """
    status, body, _ = slow_upload.upload(url, host, TRANSCRIPTIONS)
    assert (status, json.loads(body)["error"]["code"]) == (408, "upload_too_slow")


def test_clients_reach_no_probe_and_no_metric(way: Way) -> None:
    assert [way.get(path) for path in (BALANCER_PATH, METRICS_PATH, READY_PATH)] == [200, 404, 404]


@pytest.mark.usefixtures("url")
def test_the_status_tells_that_every_way_leads_to_the_service(services: Kubectl) -> None:
    """traefik has given the Ingresses an address and has accepted the HTTPRoute."""
    for name in ("speech", "speech-nginx"):
        eventually(f"{name} is exposed", lambda name=name: services.condition(name, "Exposed").get("status") == "True")
    (parent,) = (services.get("httproute", "speech") or {})["status"]["parents"]
    assert parent["controllerName"] == traefik.CONTROLLER
