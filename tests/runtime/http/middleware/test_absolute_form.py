"""A target that is a whole URL is its path, over a real socket: clients of a library never send one."""

from __future__ import annotations

import socket

import pytest

from tests.fakes.engine import FakeEngine
from tests.support.runtime_server import fake_server


def status(url: str, target: str) -> int:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: whisper\r\nConnection: close\r\n\r\n".encode())
        return int(connection.makefile("rb").readline().split()[1])


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("http://whisper/v1/models", 200),
        ("HTTPS://user@whisper:8000/v1/models?a=http://b/", 200),
        ("http://[::1]:8000/v1/models", 200),
        ("/v1/models", 200),
        ("http://whisper/speech/v1/models", 200),
        ("http://whisper", 200),
        ("/http://whisper/v1/models", 404),
    ],
)
def test_the_path_is_what_follows_the_authority(engine: FakeEngine, target: str, expected: int) -> None:
    with fake_server(engine, base_path="/speech") as url:
        assert status(url, target) == expected
