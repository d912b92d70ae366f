"""Over real sockets, what one client does shuts the door on no other."""

from __future__ import annotations

import socket
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.fakes.engine import SPOKEN, FakeEngine
from tests.runtime.conftest import speech
from tests.support import plain_http
from tests.support.runtime_server import fake_server

IDLE: Final = 60
MEGABYTES: Final = 100 * 10**6
FORM: Final = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF'


@contextmanager
def idle_uploads(url: str, key: str, first: bytes) -> Generator[None]:
    """Sixty uploads that announce 100 MB each, send `first`, and nothing more until the block ends."""
    host, _, port = url.removeprefix("http://").partition(":")
    head = (
        f"POST /transcribe HTTP/1.1\r\nHost: whisper\r\nX-API-Key: {key}\r\nContent-Length: {MEGABYTES}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nExpect: 100-continue\r\n\r\n"
    )
    with ExitStack() as connections:
        for _ in range(IDLE):
            connection = connections.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(head.encode())
            assert connection.recv(25).startswith(b"HTTP/1.1 100")  # it is admitted, and its body is read
            connection.sendall(first)
        yield


@pytest.fixture
def keys(tmp_path: Path) -> str:
    for name in ("hog", "other"):
        (tmp_path / name).write_text(name)
    return str(tmp_path)


@pytest.mark.parametrize("free_rows", [8, 0])
@pytest.mark.parametrize("first", [b"", FORM])
@pytest.mark.parametrize("key", ["other", "hog"])
def test_uploads_that_are_only_announced_take_nothing_from_others(
    engine: FakeEngine, keys: str, key: str, first: bytes, free_rows: int
) -> None:
    """Nor from their own client, as behind a proxy all clients are one."""
    engine.free_rows = free_rows
    with fake_server(engine, api_keys_dir=keys) as url, idle_uploads(url, "hog", first):
        for _ in range(5):
            assert plain_http.post(f"{url}/transcribe", files=speech(), headers={"X-API-Key": key}).status_code == 200


def test_while_one_recording_is_in_work_no_clip_is_refused(engine: FakeEngine, keys: str) -> None:
    """Given an hour of audio, more than the queue may hold, in one row of eight, and clips that take the others."""
    engine.free_rows, engine.answer = 8, None
    with (
        fake_server(engine, api_keys_dir=keys, max_queued_audio_seconds=60) as url,
        ThreadPoolExecutor(2) as clients,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        long = clients.submit(
            lambda: plain_http.post(f"{url}/transcribe", files=speech(3000), headers={"X-API-Key": "hog"})
        )
        engine.wait_until_submitted()
        engine.begin()
        engine.free_rows, engine.answer = 7, SPOKEN
        for key in ("other", "hog") * 10:
            assert client.post("/transcribe", files=speech(), headers={"X-API-Key": key}).status_code == 200
        engine.free_rows = 0
        assert client.post("/transcribe", files=speech(), headers={"X-API-Key": "hog"}).status_code == 200
        engine.held[0].set_result(SPOKEN)
        assert long.result().status_code == 200


def test_a_burst_at_a_full_batch_is_refused_before_its_bodies_are_read(engine: FakeEngine) -> None:
    """Given a queue that three clips of 20 s fill: the fourth client, which sends no byte, has its answer."""
    engine.answer = None
    clip = {"file": ("a.wav", b"speech 20".ljust(320_000))}
    with fake_server(engine, max_queued_audio_seconds=62) as url, ThreadPoolExecutor(3) as clients:
        waiting = [
            clients.submit(lambda: plain_http.post(f"{url}/transcribe", files=clip, timeout=30)) for _ in range(3)
        ]
        engine.wait_until_submitted(3)
        engine.queued_audio_seconds = 60
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as connection:
            connection.sendall(b"POST /transcribe HTTP/1.1\r\nHost: whisper\r\nContent-Length: 320000\r\n\r\n")
            assert connection.makefile("rb").readline().split()[1] == b"429"
        for future in engine.held:
            future.set_result(SPOKEN)
        assert [one.result().status_code for one in waiting] == [200] * 3


def test_clients_of_the_model_have_their_names(engine: FakeEngine, keys: str) -> None:
    """So that they can take turns there."""
    with fake_server(engine, api_keys_dir=keys) as url:
        for key in ("other", "hog"):
            assert plain_http.post(f"{url}/transcribe", files=speech(), headers={"X-API-Key": key}).status_code == 200
    assert engine.clients == ["key other", "key hog"]
