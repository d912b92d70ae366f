"""Start and end of a real process: what clients see while it leaves, and what ends it."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.support import plain_http
from tests.support.otlp_receiver import receiving
from tests.support.running_process import FAKE_SERVER, SECONDS, RunningProcess, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., RunningProcess]]:
    """Starts a server with the given configuration; it is ready."""
    with ExitStack() as stack:

        def start(**config: object) -> RunningProcess:
            return stack.enter_context(running(FAKE_SERVER, tmp_path / "log", **config))

        yield start


def test_the_last_spans_are_sent_before_it_ends(
    started: Callable[..., RunningProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a request that is in work when the process is told to end, and spans that are sent once a minute."""
    with receiving() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
        process = started(drain_seconds=50)
        last = process.in_the_background(1)
        process.running.send_signal(signal.SIGTERM)
        assert last().status_code == 200
        assert process.running.wait(SECONDS) == 0
        assert [one.attributes["http.response.status_code"] for one in collector.named("POST /transcribe")] == [200]


def test_a_collector_that_hangs_holds_its_end_up_for_seconds_alone(
    started: Callable[..., RunningProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600")
        collector.may_answer.clear()
        process = started(drain_seconds=0)
        assert process.transcribe(0.1).status_code == 200
        began = time.monotonic()
        process.running.send_signal(signal.SIGTERM)
        assert process.running.wait(SECONDS) == 0
        assert time.monotonic() - began < 60
        assert collector.spans == []


def refuses(answer: httpx.Response) -> bool:
    return answer.status_code == 503 and "retry-after" in answer.headers


def test_it_leaves_without_losing_a_request(started: Callable[..., RunningProcess]) -> None:
    process = started(drain_seconds=50)
    long = process.in_the_background(8)
    process.running.send_signal(signal.SIGTERM)
    eventually("it is not ready any more", lambda: process.ready() == 503)
    assert plain_http.get(f"{process.cluster}/health").status_code == 200
    late = process.transcribe(0.1)  # a Service may go on sending for some seconds
    assert (late.status_code, late.headers["connection"]) == (200, "close")
    eventually(
        "it refuses", lambda: (answer := process.transcribe(0.1)).status_code == 503 and "retry-after" in answer.headers
    )
    assert long().status_code == 200
    assert process.running.wait(SECONDS) == 0


def test_a_client_that_is_still_sent_here_is_refused_and_gets_an_answer(
    started: Callable[..., RunningProcess],
) -> None:
    """Given nothing to finish: the only pod of a Service has clients until its probes have failed."""
    process = started(drain_seconds=50)
    process.running.send_signal(signal.SIGTERM)
    eventually("it refuses", lambda: process.transcribe(0.1).status_code == 503)
    assert process.transcribe(0.1).headers["retry-after"]
    assert process.running.wait(SECONDS) == 0


def test_a_request_that_is_not_done_within_the_drain_time_is_not_waited_for(
    started: Callable[..., RunningProcess],
) -> None:
    process = started(drain_seconds=1)
    answer = process.in_the_background(50)
    process.running.send_signal(signal.SIGTERM)
    assert process.running.wait(30) == 0
    assert refuses(answer())
    assert "1 requests were not finished in 1 s" in process.log.read_text()


def test_a_device_that_is_lost_ends_the_process(started: Callable[..., RunningProcess]) -> None:
    process = started()
    process.in_the_background(66)
    assert process.running.wait(SECONDS) == 1
    assert "CUDA error 700" in process.log.read_text()


def test_a_wrong_key_is_refused_before_the_body_ends(started: Callable[..., RunningProcess], tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "alice").write_text("key-of-alice")
    process = started(api_keys_dir=str(tmp_path / "keys"))
    port = int(process.clients.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as client:
        head = "POST /transcribe HTTP/1.1\r\nHost: a\r\nX-API-Key: wrong\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.sendall(head.encode() + b"1000\r\n" + bytes(0x1000) + b"\r\n")  # and no end of it
        assert client.recv(4096).startswith(b"HTTP/1.1 401")


def test_logs_are_json_with_the_clients_own_request_id_and_without_a_word_of_the_text(
    started: Callable[..., RunningProcess],
) -> None:
    process = started(log_level="debug")
    headers = {"X-Request-ID": "from-the-client"}
    files = {"file": b"speech 0.1"}
    plain_http.post(f"{process.clients}/transcribe", files=files, headers=headers, timeout=SECONDS)
    process.running.send_signal(signal.SIGTERM)
    process.running.wait(SECONDS)
    lines = [json.loads(line) for line in process.log.read_text().splitlines()]
    assert all({"timestamp", "level", "message", "module", "function", "line"} <= set(line) for line in lines)
    assert [line["message"].partition(" in ")[0] for line in lines if line.get("request_id") == "from-the-client"] == [
        "POST /transcribe 200"
    ]
    assert "Ask not" not in process.log.read_text()
    assert sum("NO AUTHENTICATION" in line["message"] for line in lines) == 1


def status(process: RunningProcess, forwarded_for: str) -> int:
    """The answer's status to a client behind a proxy of the loopback."""
    file, headers = {"file": b"speech 1"}, {"X-Forwarded-For": forwarded_for}
    return plain_http.post(f"{process.clients}/transcribe", files=file, headers=headers, timeout=SECONDS).status_code


def test_clients_behind_a_trusted_proxy_are_told_apart_by_what_it_saw(started: Callable[..., RunningProcess]) -> None:
    """A socket of both families shows the proxy as ::ffff:127.0.0.1; what clients write themselves comes first."""
    process = started(requests_per_minute=1, trusted_proxies=("127.0.0.0/8", "10.0.0.0/8"))
    assert [status(process, client) for client in ("192.0.2.1", "192.0.2.2", "192.0.2.1")] == [200, 200, 429]
    assert status(process, "203.0.113.9, 192.0.2.1") == 429, "another name that the client gives itself"
    assert status(process, "192.0.2.3, 10.0.0.7") == 200, "behind two proxies"
    assert status(process, "192.0.2.3") == 429


def test_without_a_trusted_proxy_a_client_is_who_connects(started: Callable[..., RunningProcess]) -> None:
    process = started(requests_per_minute=1)
    assert [status(process, client) for client in ("192.0.2.1", "192.0.2.2")] == [200, 429]
