"""Credentials reach the server as a header, and never a message."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.fakes.mirror import Mirror
from tests.runtime.fetch.conftest import digest, fetched
from whisper_runtime.fetch.credentials import authorization, read, registry_authorization
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
    assert "has the keys key: this source needs `token`, or `username` and `password`" in report.message
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


ME = {"auth": base64.b64encode(b"me:hunter2").decode()}
OTHER = {"auth": base64.b64encode(b"other:x").decode()}
AS_ME = f"Basic {ME['auth']}"


@pytest.mark.parametrize(
    ("auths", "header"),
    [
        ({"registry.example.com": ME}, AS_ME),
        ({"https://registry.example.com/v2/": ME}, AS_ME),
        ({"registry.example.com": {"username": "me", "password": "hunter2"}}, AS_ME),
        ({"registry.example.com": {"registrytoken": "hunter2"}}, "Bearer hunter2"),
        ({"*.example.com": ME, "example.com": OTHER}, AS_ME),
        ({"registry.example.com": OTHER, "registry.example.com/team": ME}, AS_ME),
        ({"registry.example.com": ME, "registry.example.com/tea": OTHER}, AS_ME),
    ],
)  # fmt: skip
def test_a_secret_by_which_nodes_pull_images_does_as_well(auths: dict[str, dict[str, str]], header: str) -> None:
    keys = {".dockerconfigjson": json.dumps({"auths": auths})}
    assert registry_authorization(keys, ["registry.example.com"], "team/model") == header


def test_a_registry_takes_the_same_keys_as_a_web_server() -> None:
    assert registry_authorization({"username": "me", "password": "hunter2"}, ["r"], "m") == AS_ME
    assert registry_authorization({"token": "a"}, ["r"], "m") == "Bearer a"
    assert registry_authorization({}, ["r"], "m") is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("hunter2", "is not the JSON of docker's configuration"),
        ('{"auths": ["hunter2"]}', "is not the JSON of docker's configuration"),
        ('{"auths": {"r.io": "hunter2"}}', "is not the JSON of docker's configuration"),
        ('{"auths": {}}', "has no credentials for registry.example.com: add them, or name another Secret"),
        (json.dumps({"auths": {"*.com": ME, "registry.example.com:5000": ME}}), "has no credentials for"),
        ('{"auths": {"registry.example.com": {"auth": "hunter2"}}}', "is not user:password in base64"),
        ('{"auths": {"registry.example.com": {"identitytoken": "hunter2"}}}', "neither auth nor username and password"),
    ],
)
def test_a_docker_configuration_that_does_not_do_is_reported_without_its_values(content: str, says: str) -> None:
    with pytest.raises(FetchError, match=says) as raised:
        registry_authorization({".dockerconfigjson": content}, ["registry.example.com"], "team/model")
    assert "hunter2" not in str(raised.value)
