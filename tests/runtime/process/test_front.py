"""A real front before real servers: it is ready at once, and no request is lost while servers come, die and go."""

from __future__ import annotations

import asyncio
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

from testbed import store_server
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
from whisper_runtime.contract.metric_names import FRONT_SERVERS_METRIC, STORE_IN_USE_METRIC
from whisper_runtime.process.front import run_front
from whisper_runtime.service.place import BYTES_PER_SECOND

pytestmark = pytest.mark.slow

StartProgram = Callable[..., RunningProcess]
MODEL = {"torch", "whisper", "numpy", "fastapi"}
"""What the front has no use for; it would take seconds to import, and half a gigabyte."""
UNLIMITED = httpx.Limits(max_connections=None)
SHARING_SERVER = ("-m", "tests.fakes.sharing_process")
JOB_SERVER = ("-m", "tests.fakes.job_sharing_process", "0.01")
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
    return ",".join(server.as_target for server in servers)


def api_keys(directory: Path, *clients: str) -> str:
    """A folder with their keys, `key-of-NAME`."""
    (directory / "keys").mkdir()
    for name in clients:
        (directory / "keys" / name).write_text(f"key-of-{name}")
    return str(directory / "keys")


def demand(front: RunningProcess) -> DemandReport:
    return DemandReport.model_validate_json(plain_http.get(f"{front.cluster}/demand", timeout=SECONDS).content)


def resident_mib(process: RunningProcess) -> float:
    status = Path(f"/proc/{process.running.pid}/status").read_text()
    (resident,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return resident / 1024


def known_text(front: RunningProcess, seconds: float) -> str | None:
    """What the front answers by itself; None: it holds the request, as while the store has no processor to answer."""
    try:
        files = {"file": f"speech {seconds}".encode()}
        return plain_http.post(f"{front.clients}/transcribe", files=files, timeout=5).json()["text"]
    except httpx.ReadTimeout:
        return None


def test_it_has_no_model_in_memory() -> None:
    code = f"import sys, whisper_runtime.process.front; print(sorted({MODEL} & set(sys.modules)))"
    ran = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("has_token", [True, False])
def test_a_clients_job_is_its_own_by_whichever_front_it_comes(
    start: StartProgram, tmp_path: Path, has_token: bool
) -> None:
    """Without keys a client is its address, which servers believe of a front that has their token."""
    token = {"front_token": "a-token-of-sixteen-or-more" if has_token else None}
    form: dict[str, Any] = {"files": {"file": b"speech 1"}, "data": {"model": "base"}}
    with store_server.running("valkey", tmp_path / "store") as store:
        (tmp_path / "url").write_text(store.url)
        server = start(JOB_SERVER, redis_url_file=str(tmp_path / "url"), jobs_store="redis", **token)
        fronts = [start(FRONT, servers=before(server), **token) for _ in range(2)]
        url = f"{fronts[0].clients}/v1/audio/transcriptions"
        answer = plain_http.post(url, headers={"Prefer": "respond-async"}, timeout=SECONDS, **form)
        assert answer.status_code == 202, answer.text
        path = f"/v1/audio/transcriptions/{answer.json()['id']}"
        assert {plain_http.get(f"{front.clients}{path}", timeout=SECONDS).status_code for front in fronts} == {200}
        with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as another:
            found = {another.get(f"{front.clients}{path}", timeout=SECONDS).status_code for front in fronts}
    assert found == {404 if has_token else 200}


def test_it_is_ready_without_a_server(start: StartProgram) -> None:
    front = start(FRONT, servers=NOT_THERE)
    assert (front.ready(), demand(front).held_requests) == (200, 0)
    assert resident_mib(front) < 100


def test_what_a_server_transcribed_is_answered_once_no_server_is_left(start: StartProgram, tmp_path: Path) -> None:
    with store_server.running("valkey", tmp_path / "store") as store:
        (tmp_path / "url").write_text(store.url)
        shared: dict[str, Any] = {"redis_url_file": str(tmp_path / "url"), "result_cache_max_bytes": 1024**2}
        server = start(SHARING_SERVER, trusted_proxies=("127.0.0.1",), **shared)
        front = start(FRONT, servers=before(server), request_timeout_seconds=SECONDS, **shared)
        for process in (server, front):
            eventually("the store is in use", lambda of=process: of.metric(STORE_IN_USE_METRIC), SECONDS)
        eventually("it is kept", lambda: "hit" in front.transcribe(5).headers["cache-status"], SECONDS)
        server.running.kill()
        eventually("the server is gone", lambda: not front.metric(FRONT_SERVERS_METRIC), SECONDS)
        eventually("it is answered", lambda: known_text(front, 5) == "Ask not.", SECONDS)
        assert demand(front).held_requests == 0
        assert resident_mib(front) < 100


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
    port, cluster_port = free_ports(2)
    front = start(FRONT, servers=f"127.0.0.1:{port}:{cluster_port}")
    answer = answered_later(lambda: front.transcribe(0.1))
    eventually("it is held", lambda: demand(front).held_bytes, SECONDS)
    start(FAKE_SERVER, port=port, metrics_port=cluster_port)
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


def test_what_a_server_has_not_answered_within_the_drain_time_is_told_to_come_again(start: StartProgram) -> None:
    server = start(FAKE_SERVER)
    front = start(FRONT, servers=before(server), drain_seconds=1)
    answer = answered_later(lambda: front.transcribe(50))
    eventually("the server has the request", server.busy, SECONDS)
    front.running.send_signal(signal.SIGTERM)
    assert (answer().status_code, answer().headers["retry-after"]) == (503, "1")
    assert front.running.wait(SECONDS) == 0


def test_what_no_server_has_had_when_it_ends_is_told_to_come_again(start: StartProgram) -> None:
    front = start(FRONT, servers=NOT_THERE, drain_seconds=1)
    answer = answered_later(lambda: front.transcribe(0.1))
    eventually("it is held", lambda: demand(front).held_bytes, SECONDS)
    front.running.send_signal(signal.SIGTERM)
    assert (answer().status_code, answer().headers["retry-after"]) == (503, "1")
    assert front.running.wait(SECONDS) == 0


def test_what_the_operator_knows_is_said_to_those_that_wait_and_to_those_that_come(start: StartProgram) -> None:
    front = start(FRONT, servers=NOT_THERE)
    why = "The image of the pods that serve cannot be pulled: correct spec.image."
    answer = answered_later(lambda: front.transcribe(0.1))
    eventually("it is held", lambda: demand(front).held_bytes, SECONDS)
    assert plain_http.post(f"{front.cluster}/demand", json={"cannotCome": why}, timeout=SECONDS).status_code == 200
    for refused in (answer(), front.transcribe(0.1)):
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
        assert refused.json()["error"]["message"] == why
    assert demand(front).refused_requests == 2


def test_a_client_that_hangs_up_while_it_is_held_frees_its_place(start: StartProgram) -> None:
    front = start(FRONT, servers=NOT_THERE)
    with connected(front) as client:
        client.sendall(head(length=4) + b"body")
        eventually("it is held", lambda: demand(front).held_bytes == 4, SECONDS)
    eventually("its place is free", lambda: demand(front).held_requests == 0, SECONDS)
    eventually("its disk is free", lambda: front.metric("whisper_front_spool_bytes") == 0, 20)


def test_a_hundred_slow_uploads_of_one_client_cost_another_nothing(start: StartProgram, tmp_path: Path) -> None:
    server = start(FAKE_SERVER)
    front = start(FRONT, servers=before(server), api_keys_dir=api_keys(tmp_path, "alice", "bob"))
    with ExitStack() as slow:
        for _ in range(100):
            client = slow.enter_context(connected(front))
            client.sendall(head("X-API-Key: key-of-alice", length=10**6) + b"slow")
        eventually("all are here", lambda: demand(front).held_bytes == 400, SECONDS)
        assert front.transcribe(0.1, headers={"X-API-Key": "key-of-bob"}).status_code == 200
        assert front.metric("whisper_front_dispatch_total") == 1


async def test_a_client_with_two_recordings_waits_little_behind_one_with_two_hundred_on_two_servers(
    start: StartProgram, tmp_path: Path
) -> None:
    """Given servers that take what comes first: each round of their four rows takes what one recording takes alone."""
    rows, longest_rounds = 4, 3
    ports = [free_ports(2), free_ports(2)]
    targets = ",".join(f"127.0.0.1:{port}:{cluster_port}" for port, cluster_port in ports)
    front = start(FRONT, servers=targets, api_keys_dir=api_keys(tmp_path, "many", "few"))
    async with httpx.AsyncClient(verify=plain_http.NO_AUTHORITIES, timeout=SECONDS, limits=UNLIMITED) as client:

        async def answered(name: str) -> httpx.Response:
            content = b"speech 1".ljust(BYTES_PER_SECOND)
            headers = {"X-API-Key": f"key-of-{name}"}
            return await client.post(f"{front.clients}/transcribe", files={"file": content}, headers=headers)

        many = [asyncio.create_task(answered("many")) for _ in range(200)]
        all_held = 200 * BYTES_PER_SECOND
        await asyncio.to_thread(eventually, "all are held", lambda: demand(front).held_bytes >= all_held, SECONDS)
        for port, cluster_port in ports:
            settings = {"port": port, "metrics_port": cluster_port, "max_batch_size": rows // 2}
            await asyncio.to_thread(start, FAKE_SERVER, **settings)
        await asyncio.to_thread(
            eventually, "the front knows both", lambda: front.metric("whisper_front_servers") == 2, SECONDS
        )
        before_them = sum(one.done() for one in many)
        few = await asyncio.gather(answered("few"), answered("few"))
        meanwhile = sum(one.done() for one in many) - before_them
        assert [one.status_code for one in few] == [200, 200]
        assert meanwhile <= longest_rounds * rows
        assert {one.result().status_code for one in many if one.done()} == {200}
        for one in many:
            one.cancel()


def test_a_request_goes_where_the_least_waits_whoever_has_sent_that(start: StartProgram) -> None:
    full, free = start(FAKE_SERVER, max_batch_size=1), start(FAKE_SERVER, max_batch_size=1)
    front = start(FRONT, servers=before(full, free))
    answers = [full.in_the_background(12)]  # not by the front
    answers.append(answered_later(lambda: full.transcribe(1)))
    eventually("one waits for its row", lambda: full.metric("whisper_queued_audio_seconds") == 1, SECONDS)
    eventually("the front knows", lambda: front.metric("whisper_front_queued_audio_seconds") == 1, SECONDS)
    for _ in range(3):
        assert front.transcribe(0.1).status_code == 200
    assert free.metric('whisper_audio_duration_seconds_count{model="base"}') == 3
    assert [answer().status_code for answer in answers] == [200, 200]


def test_a_spool_that_is_full_is_said_so(start: StartProgram) -> None:
    front = start(FRONT, servers=NOT_THERE, spool_bytes=2 * 1024**2)
    with connected(front) as client:
        client.sendall(head(length=1_900_000) + bytes(1_900_000))
        eventually("it is held", lambda: demand(front).held_bytes == 1_900_000, SECONDS)
        refused = upload(front, bytes(300_000))
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "client_scratch_full")
        assert refused.headers["retry-after"] == "30"  # nobody knows when a server comes


def test_a_spool_that_is_full_has_room_when_the_audio_on_it_is_done(start: StartProgram, tmp_path: Path) -> None:
    """Given 118 s of audio, by an upload's bytes, for a server that comes in 20 s and does 2 s in a second."""
    keys = api_keys(tmp_path, "alice", "bob")
    front = start(FRONT, servers=NOT_THERE, spool_bytes=2 * 1024**2, api_keys_dir=keys)
    with connected(front) as client:
        client.sendall(head("X-API-Key: key-of-alice", length=1_900_000) + bytes(1_900_000))
        eventually("it is held", lambda: front.metric("whisper_front_held_audio_seconds") > 118, SECONDS)
        known = {"expectedSeconds": 20, "audioSpeed": 2}
        assert plain_http.post(f"{front.cluster}/demand", json=known, timeout=SECONDS).status_code == 200
        refused = upload(front, bytes(300_000), key="key-of-bob")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "scratch_full")
        assert 60 < int(refused.headers["retry-after"]) <= 80


@pytest.mark.parametrize("declared", [4 + 6, 4 - 2])
def test_a_client_that_lies_about_its_length_costs_nobody_a_server(start: StartProgram, declared: int) -> None:
    front = start(FRONT, servers=before(start(FAKE_SERVER)))
    with connected(front) as client:
        client.sendall(head(length=declared) + b"body")
        if declared > 4:
            eventually("it is here", lambda: demand(front).held_bytes == 4, SECONDS)
        else:
            assert client.recv(64).startswith(b"HTTP/1.1 400 ")  # for what came within its length, by the server
    eventually("nothing is left of it", lambda: demand(front).held_requests == 0, SECONDS)
    assert front.metric("whisper_front_dispatch_total") == (0 if declared > 4 else 1)
    assert front.transcribe(0.1).status_code == 200


@pytest.mark.parametrize("lines", [("POST /transcribe HTTP/1.0",), (*POST, "Connection: host")])
def test_a_request_without_a_host_for_servers_takes_no_server_from_others(
    start: StartProgram, lines: tuple[str, ...]
) -> None:
    front = start(FRONT, servers=before(start(FAKE_SERVER)))
    with connected(front) as client:
        client.sendall("\r\n".join((*lines, "Content-Length: 4", "", "body")).encode())
        assert client.recv(64).startswith(b"HTTP/1.1 400 ")  # the server's: that is no form
    assert front.metric('whisper_front_retry_total{cause="lost"}') == 0


def upload(front: RunningProcess, content: bytes, key: str = "") -> httpx.Response:
    headers = {"X-API-Key": key} if key else {}
    return plain_http.post(f"{front.clients}/transcribe", content=content, headers=headers, timeout=SECONDS)


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
