"""Credentials reach the server as a header, and never a message."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.fakes.mirror import Mirror
from tests.runtime.fetch.conftest import digest, fetched
from whisper_runtime.fetch.credentials import authorization, read
from whisper_runtime.fetch.errors import FetchError


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    directory = tmp_path / "secret"
    directory.mkdir()
    return directory


@pytest.mark.parametrize(
    ("keys", "header"),
    [
        ({"token": "hunter2\n"}, "Bearer hunter2"),
        ({"username": "me", "password": "hunter2"}, f"Basic {base64.b64encode(b'me:hunter2').decode()}"),
    ],
)
def test_credentials_are_sent(mirror: Mirror, cache: Path, secret: Path, keys: dict[str, str], header: str) -> None:
    for name, value in keys.items():
        (secret / name).write_text(value)
    fetched(cache, mirror.url, digest(mirror.content), model_credentials_dir=str(secret))
    assert mirror.requests[0]["authorization"] == header


def test_a_secret_of_other_keys_is_reported_without_its_values(mirror: Mirror, cache: Path, secret: Path) -> None:
    (secret / "key").write_text("hunter2")
    report = fetched(cache, mirror.url, digest(mirror.content), model_credentials_dir=str(secret))
    assert "has the keys key: an http(s) source needs `token`, or `username` and `password`" in report.message
    assert "hunter2" not in report.model_dump_json()


@pytest.mark.parametrize("token", ["hunter2\nhunter2", "hunter2\u00e9", "hunter2\x00"])
def test_a_token_that_no_header_can_carry_is_reported_without_its_value(
    mirror: Mirror, cache: Path, secret: Path, token: str
) -> None:
    (secret / "token").write_text(token)
    report = fetched(cache, mirror.url, digest(mirror.content), model_credentials_dir=str(secret))
    assert "spec.model.source.secretRef: `token` must be printable ASCII" in report.message
    assert "hunter2" not in report.model_dump_json()
    assert mirror.requests == []


def test_without_credentials_nothing_is_sent() -> None:
    assert read(None) == {}
    assert authorization({}) is None


@pytest.mark.parametrize("content", [None, b"\xff"], ids=["no directory", "not text"])
def test_credentials_that_cannot_be_read_are_reported(secret: Path, content: bytes | None) -> None:
    if content is None:
        secret.rmdir()
    else:
        (secret / "token").write_bytes(content)
    with pytest.raises(FetchError, match=f"the credentials in {secret} cannot be read"):
        read(str(secret))
