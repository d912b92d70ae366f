"""API keys come from a mounted Secret, and a request without one of them is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from starlette.types import Message

from tests.runtime.conftest import PartsOf, Start, speech
from whisper_runtime.http.app import create_app
from whisper_runtime.http.middleware.authentication import KeyRing


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A Secret as the kubelet mounts it: links into a directory that `..data` points to."""
    _mount(tmp_path, "..v1", {"alice": "key-of-alice\n", "bob": "key-of-bob", "nobody": ""})
    return tmp_path


def _mount(directory: Path, version: str, content: dict[str, str]) -> None:
    (directory / version).mkdir()
    for name, key in content.items():
        (directory / version / name).write_text(key)
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(f"..data/{name}")
    (directory / "..new").symlink_to(version)
    os.rename(directory / "..new", directory / "..data")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer key-of-alice"},
        {"Authorization": "bearer key-of-bob"},
        {"X-API-Key": "key-of-alice"},
        {"X-API-Key": "key-of-bob", "Authorization": "Basic something"},
    ],
)
async def test_a_known_key_is_let_in(start: Start, keys: Path, headers: dict[str, str]) -> None:
    client = start(api_keys_dir=str(keys))
    assert (await client.post("/transcribe", files=speech(), headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "key-of-mallory"},
        {"X-API-Key": "key-of-alic"},
        {"X-API-Key": "alice"},
        {"X-API-Key": "schlüssel".encode("latin-1").decode("latin-1")},
        {"Authorization": "key-of-alice"},
        {"Authorization": "Bearer"},
    ],
)
@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions", "/v1/models", "/metrics", "/nowhere"])
async def test_anyone_else_gets_401(start: Start, keys: Path, headers: dict[str, str], path: str) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await start(api_keys_dir=str(keys)).post(path, files=speech(), headers=encoded)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "X-API-Key" in answer.json()["error"]["message"]


async def test_health_needs_no_key_in_a_lone_container(start: Start, keys: Path) -> None:
    client = start(api_keys_dir=str(keys), probes_on_http=True)
    assert [(await client.get(path)).status_code for path in ("/health", "/startup", "/ready")] == [
        200,
        200,
        200,
    ]
    assert (await client.get("/metrics")).status_code == 401


@pytest.mark.parametrize("made", [True, False])
async def test_without_any_key_everyone_is_refused_and_the_log_says_so_at_the_start(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture, made: bool
) -> None:
    directory = tmp_path / "keys"
    if made:
        directory.mkdir()
    client = start(api_keys_dir=str(directory))
    assert f"NO API KEY in {directory}" in caplog.text
    assert (await client.get("/v1/models", headers={"X-API-Key": "any"})).status_code == 401


async def test_without_authentication_the_log_warns(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    assert (await start().get("/v1/models")).status_code == 200
    assert "NO AUTHENTICATION" in caplog.text


async def test_401_comes_before_the_body_is_read(keys: Path, parts_of: PartsOf) -> None:
    app = create_app(parts_of(api_keys_dir=str(keys)))
    events: list[str] = []

    async def receive() -> Message:
        events.append("read")
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        events.append(f"{message['type']} {message.get('status', '')}".strip())

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/transcribe",
        "headers": [(b"content-length", b"99999999")],
    }
    await app(scope, receive, send)
    assert events[:2] == ["http.response.start 401", "http.response.body"]


def test_a_rotated_key_is_noticed_within_a_second(keys: Path) -> None:
    now = 0.0
    ring = KeyRing(keys, clock=lambda: now)
    assert (ring.client(b"key-of-alice"), len(ring)) == ("alice", 2)

    _mount(keys, "..v2", {"alice": "new-key"})
    assert ring.client(b"new-key") is None
    now = 1.0
    assert ring.client(b"new-key") == "alice"
    assert ring.client(b"key-of-alice") is None
    assert ring.client(b"key-of-bob") is None


def test_keys_never_reach_the_log(keys: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        KeyRing(keys).client(b"key-of-mallory")
    assert "key-of" not in caplog.text
    assert "'nobody' is not used" in caplog.text
