"""The proxy of examples/compose, run by Debian's nginx before a real runtime's HTTP side."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from testbed import debian
from testbed.cluster.controlplane import free_ports
from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine
from tests.support import plain_http
from tests.support.runtime_server import fake_server

pytestmark = pytest.mark.slow

COMPOSE = Path(__file__).parents[2] / "examples/compose"
SECONDS = 30
FIELDS = {"message", "type", "param", "code"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate that compose.yaml tells how to make."""
    directory = tmp_path_factory.mktemp("certificates")
    files = ("-keyout", str(directory / "tls.key"), "-out", str(directory / "tls.crt"))
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    subprocess.run(
        ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *files), check=True
    )
    return directory


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def configuration(certificates: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Writes the proxy's configuration for a runtime at the given address."""

    def of(runtime: str) -> Path:
        text = (COMPOSE / "nginx.conf").read_text()
        for theirs, ours in (
            ("server runtime:8000", f"server {runtime}"),
            ("listen 443 ssl", f"listen 127.0.0.1:{free_ports(1)[0]} ssl"),
            ("listen 80", f"listen 127.0.0.1:{free_ports(1)[0]}"),
            ("/etc/nginx/certificates", str(certificates)),
            ("/tmp/nginx", str(tmp_path / "nginx")),
        ):
            assert theirs in text
            text = text.replace(theirs, ours)
        path = tmp_path / "nginx.conf"
        path.write_text(text)
        return path

    return of


@contextmanager
def running(configuration: Path) -> Iterator[httpx.Client]:
    """A client of the proxy, which trusts the certificate."""
    debian.ensure({"/usr/sbin/nginx": "nginx-light"})
    text = configuration.read_text()
    plain, port = (int(found) for found in re.findall(r"listen 127\.0\.0\.1:(\d+)", text))
    [certificate] = re.findall(r"ssl_certificate (\S+);", text)
    nginx = subprocess.Popen(("/usr/sbin/nginx", "-c", str(configuration), "-g", "daemon off;"))
    try:
        wait_for(port)
        trust = ssl.create_default_context(cafile=certificate)
        with httpx.Client(base_url=f"https://localhost:{port}", verify=trust, timeout=SECONDS) as client:
            client.headers["X-Plain-Port"] = str(plain)
            yield client
    finally:
        nginx.terminate()
        nginx.wait(SECONDS)


@pytest.fixture
def proxied(engine: FakeEngine, configuration: Callable[[str], Path]) -> Iterator[httpx.Client]:
    with (
        fake_server(engine, probes_on_http=True) as address,
        running(configuration(address.removeprefix("http://"))) as client,
    ):
        yield client


def wait_for(port: int) -> None:
    ends = time.monotonic() + SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except ConnectionRefusedError:
            assert time.monotonic() < ends
            time.sleep(0.05)


def test_an_upload_of_more_than_a_megabyte_passes(proxied: httpx.Client) -> None:
    content = b"speech 2.5" + b" " * 3_000_000
    answer = proxied.post("/transcribe", files={"file": ("a.wav", content)})
    assert (answer.status_code, answer.json()["text"].strip()) == (200, SPOKEN.text.strip())
    assert answer.headers["x-request-id"]


def test_more_than_a_hundred_megabytes_is_413_before_it_is_read(proxied: httpx.Client, certificates: Path) -> None:
    trust = ssl.create_default_context(cafile=str(certificates / "tls.crt"))
    connection = http.client.HTTPSConnection("localhost", proxied.base_url.port, timeout=SECONDS, context=trust)
    connection.putrequest("POST", "/transcribe")
    connection.putheader("Content-Length", str(100 * 1024**2 + 1))
    connection.endheaders()
    answer = connection.getresponse()
    error = json.loads(answer.read())["error"]
    connection.close()
    assert (answer.status, error["param"], error["code"]) == (413, "file", "upload_too_large")
    assert error.keys() == FIELDS
    assert (answer.headers["x-should-retry"], answer.headers["content-type"]) == ("false", "application/json")


def test_a_clients_own_id_is_kept_and_another_one_is_made(proxied: httpx.Client) -> None:
    kept = proxied.get("/v1/models", headers={"X-Request-ID": "from-the-client"})
    assert kept.headers.get_list("x-request-id") == ["from-the-client"]
    hidden = proxied.get("/metrics", headers={"X-Request-ID": "from-the-client"})
    assert hidden.headers["x-request-id"] == "from-the-client"
    assert len(proxied.get("/metrics").headers["x-request-id"]) == 32


def test_a_runtime_that_does_not_answer_is_told_in_openais_body(configuration: Callable[[str], Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = configuration(f"127.0.0.1:{silent.getsockname()[1]}")
        path.write_text(path.read_text().replace("proxy_read_timeout 310s", "proxy_read_timeout 1s"))
        with running(path) as client:
            slow = client.post("/transcribe", files={"file": b"speech"})
    assert (slow.status_code, slow.json()["error"]["code"]) == (504, "request_timeout")
    assert slow.headers["x-should-retry"] == "false"


def test_a_runtime_that_is_not_there_is_worth_another_try(configuration: Callable[[str], Path]) -> None:
    with running(configuration(f"127.0.0.1:{free_ports(1)[0]}")) as client:
        answer = client.post("/transcribe", files={"file": b"speech"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "bad_gateway")
    assert answer.json()["error"].keys() == FIELDS
    assert "x-should-retry" not in answer.headers


def test_without_tls_the_client_is_sent_to_tls(proxied: httpx.Client) -> None:
    answer = plain_http.post(f"http://localhost:{proxied.headers['X-Plain-Port']}/transcribe")
    assert (answer.status_code, answer.headers["location"]) == (308, "https://localhost/transcribe")


def test_what_is_for_the_orchestrator_is_not_for_clients(proxied: httpx.Client) -> None:
    assert [proxied.get(path).status_code for path in ("/metrics", "/ready", "/startup")] == [404] * 3
    assert proxied.get("/v1/models").status_code == 200


def test_events_pass_as_they_come(proxied: httpx.Client, engine: FakeEngine) -> None:
    """The first event is there while the engine still works on the rest."""
    engine.answer = None
    form = {"model": "whisper-1", "stream": "true"}
    heard = threading.Event()

    def speak() -> None:
        engine.wait_until_submitted()
        engine.emit(SEGMENT)
        heard.wait(SECONDS)
        engine.held[0].set_result(SPOKEN)

    speaker = threading.Thread(target=speak)
    speaker.start()
    with proxied.stream("POST", "/v1/audio/transcriptions", files={"file": b"speech"}, data=form) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        assert "transcript.text.delta" in next(lines)
        assert not engine.held[0].done()
        heard.set()
        assert "transcript.text.done" in list(lines)[-1]
    speaker.join()


def test_the_limits_of_both_files_are_those_of_the_runtime() -> None:
    compose = yaml.safe_load((COMPOSE / "compose.yaml").read_text())
    environment = compose["services"]["runtime"]["environment"]
    text = (COMPOSE / "nginx.conf").read_text()
    assert int(environment["WHISPER_MAX_UPLOAD_BYTES"]) == 100 * 1024**2
    assert "client_max_body_size 100m;" in text
    assert f"proxy_read_timeout {int(environment['WHISPER_REQUEST_TIMEOUT_SECONDS']) + 10}s;" in text
    assert yaml.safe_load((COMPOSE / "gpu.yaml").read_text())["services"].keys() <= compose["services"].keys()
