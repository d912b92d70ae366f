"""A real front before real servers: it is ready at once, and no request is lost while servers come, die and go."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from testbed.cluster.controlplane import free_ports
from tests.support import plain_http
from tests.support.running_process import (
    FAKE_SERVER,
    FRONT,
    SECONDS,
    RunningProcess,
    answered_later,
    running,
)
from tests.support.waiting import eventually
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.front import DemandReport
from whisper_runtime.process.front import run_front

pytestmark = pytest.mark.slow

StartProgram = Callable[..., RunningProcess]
MODEL = {"torch", "whisper", "numpy", "fastapi"}
"""What the front has no use for; it would take seconds to import, and half a gigabyte."""
NOT_THERE = "127.0.0.1:1"
"""Where no server is."""

POST = ("POST /transcribe HTTP/1.1", "Host: front")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartProgram]:
    """Starts a process of a program, with a configuration; it is ready."""
    with ExitStack() as stack:

        def started(program: tuple[str, ...], **config: Any) -> RunningProcess:
            return stack.enter_context(running(program, tmp_path / "log", **config))

        yield started


def before(*servers: RunningProcess) -> str:
    """The setting that names these servers."""
    return ",".join(server.clients.removeprefix("http://") for server in servers)


def demand(front: RunningProcess) -> DemandReport:
    return DemandReport.model_validate_json(plain_http.get(f"{front.cluster}/demand", timeout=SECONDS).content)


def test_it_has_no_model_in_memory() -> None:
    code = f"import sys, whisper_runtime.process.front; print(sorted({MODEL} & set(sys.modules)))"
    ran = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_it_is_ready_without_a_server(start: StartProgram) -> None:
    front = start(FRONT, servers=NOT_THERE)
    assert (front.ready(), demand(front).held_requests) == (200, 0)
    status = Path(f"/proc/{front.running.pid}/status").read_text()
    (resident,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert resident < 100 * 1024, "KiB"


def test_a_server_that_is_killed_in_the_middle_costs_no_request(start: StartProgram) -> None:
    servers = start(FAKE_SERVER), start(FAKE_SERVER)
    front = start(FRONT, servers=before(*servers))
    answer = answered_later(lambda: front.transcribe(4))
    eventually("a server has the request", lambda: any(server.busy() for server in servers), SECONDS)
    (busy,) = (server for server in servers if server.busy())
    busy.running.send_signal(signal.SIGKILL)
    assert answer().status_code == 200
    assert front.metric('whisper_front_retry_total{cause="lost"}') == 1


def test_a_request_that_comes_before_any_server_is_answered_by_the_first(start: StartProgram) -> None:
    (port,) = free_ports(1)
    front = start(FRONT, servers=f"127.0.0.1:{port}")
    answer = answered_later(lambda: front.transcribe(0.1))
    eventually("it is held", lambda: demand(front).held_bytes, SECONDS)
    start(FAKE_SERVER, port=port)
    assert answer().status_code == 200
    eventually("nothing is left of it", lambda: demand(front).idle_seconds, SECONDS)


def test_what_else_clients_ask_a_server_for_passes_too(start: StartProgram) -> None:
    front = start(FRONT, servers=before(start(FAKE_SERVER)))
    names = [one["id"] for one in plain_http.get(f"{front.clients}/v1/models", timeout=SECONDS).json()["data"]]
    assert "whisper-1" in names
    audio = {"file": b"speech 0.1"}
    fields = {"model": "whisper-1", "stream": "true"}
    url = f"{front.clients}/v1/audio/transcriptions"
    events = plain_http.post(url, files=audio, data=fields, timeout=SECONDS)
    assert events.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert '"type":"transcript.text.done"' in events.text
    assert plain_http.get(f"{front.clients}/v1/nothing", timeout=SECONDS).status_code == 404


def test_it_leaves_without_losing_a_request_that_a_server_has(start: StartProgram) -> None:
    server = start(FAKE_SERVER)
    front = start(FRONT, servers=before(server), drain_seconds=50)
    answer = answered_later(lambda: front.transcribe(8))
    eventually("the server has the request", server.busy, SECONDS)
    front.running.send_signal(signal.SIGTERM)
    eventually("it is not ready any more", lambda: front.ready() == 503)
    late = front.transcribe(0.1)
    assert (late.status_code, late.headers["connection"]) == (200, "close")
    eventually("it refuses", lambda: front.transcribe(0.1).status_code == 503)
    assert answer().status_code == 200
    assert front.running.wait(SECONDS) == 0


def test_what_no_server_has_had_when_it_ends_is_told_to_come_again(start: StartProgram) -> None:
    front = start(FRONT, servers=NOT_THERE, drain_seconds=1)
    answer = answered_later(lambda: front.transcribe(0.1))
    eventually("it is held", lambda: demand(front).held_bytes, SECONDS)
    front.running.send_signal(signal.SIGTERM)
    assert (answer().status_code, answer().headers["retry-after"]) == (503, "1")
    assert front.running.wait(SECONDS) == 0


def test_a_client_that_hangs_up_while_it_is_held_frees_its_place(start: StartProgram) -> None:
    front = start(FRONT, servers=NOT_THERE)
    with connected(front) as client:
        client.sendall(head(length=4) + b"body")
        eventually("it is held", lambda: demand(front).held_bytes == 4, SECONDS)
    eventually("its place is free", lambda: demand(front).held_requests == 0, SECONDS)
    eventually("its disk is free", lambda: front.metric("whisper_front_spool_bytes") == 0, 20)


def test_a_hundred_slow_uploads_of_one_client_cost_another_nothing(start: StartProgram, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    for name in ("alice", "bob"):
        (tmp_path / "keys" / name).write_text(f"key-of-{name}")
    server = start(FAKE_SERVER)
    front = start(FRONT, servers=before(server), api_keys_dir=str(tmp_path / "keys"))
    with ExitStack() as slow:
        for _ in range(100):
            client = slow.enter_context(connected(front))
            client.sendall(head("X-API-Key: key-of-alice", length=10**6) + b"slow")
        eventually("all are here", lambda: demand(front).held_bytes == 400, SECONDS)
        assert front.transcribe(0.1, headers={"X-API-Key": "key-of-bob"}).status_code == 200
        assert front.metric("whisper_front_dispatch_total") == 1


def test_a_spool_that_is_full_is_said_so(start: StartProgram) -> None:
    front = start(FRONT, servers=NOT_THERE, spool_bytes=2 * 1024**2)
    with connected(front) as client:
        client.sendall(head(length=1_900_000) + bytes(1_900_000))
        eventually("it is held", lambda: demand(front).held_bytes == 1_900_000, SECONDS)
        refused = upload(front, bytes(300_000))
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "client_scratch_full")
        assert refused.headers["retry-after"]


@pytest.mark.parametrize("lines", [("POST /transcribe HTTP/1.0",), (*POST, "Connection: host")])
def test_a_request_without_a_host_for_servers_takes_no_server_from_others(
    start: StartProgram, lines: tuple[str, ...]
) -> None:
    front = start(FRONT, servers=before(start(FAKE_SERVER)))
    with connected(front) as client:
        client.sendall("\r\n".join((*lines, "Content-Length: 4", "", "body")).encode())
        assert client.recv(64).startswith(b"HTTP/1.1 400 ")  # the server's: that is no form
    assert front.metric('whisper_front_retry_total{cause="lost"}') == 0


def upload(front: RunningProcess, content: bytes) -> httpx.Response:
    return plain_http.post(f"{front.clients}/transcribe", content=content, timeout=SECONDS)


def connected(front: RunningProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(front.clients.rpartition(":")[2])), timeout=SECONDS)


def head(*headers: str, length: int) -> bytes:
    """Of an upload whose body is declared to have that length."""
    lines = (*POST, f"Content-Length: {length}", *headers, "", "")
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, "WHISPER_SERVERS is not set: name the servers"),
        ({"servers": NOT_THERE, "spool_dir": "/nowhere"}, "WHISPER_SPOOL_DIR is /nowhere"),
    ],
)
def test_what_it_cannot_work_without_is_named(config: dict[str, str], problem: str) -> None:
    found = run_front(RuntimeConfig.model_validate(config))
    assert found
    assert problem in found


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = run_front(RuntimeConfig(servers=NOT_THERE, port=taken.getsockname()[1]))
    assert found
    assert "cannot be opened" in found
