"""Whom a registry may send for a token, and what it may answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.registry import REPOSITORY, FakeRegistry, serving
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.oci.registry import Registry, may_be_asked, parsed

NAME = "oci://r/m:v1"


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with serving(FakeRegistry({"v1": b"{}"}, asks="Bearer")) as found:
        yield found


def client(fake: FakeRegistry) -> Registry:
    return Registry(NAME, fake.url, REPOSITORY, None, None, 1.0)


@pytest.mark.parametrize(
    ("challenge", "scheme", "parameters"),
    [
        ('Bearer realm="https://a/t",service="s",scope="repository:a:pull,push"', "bearer",
         {"realm": "https://a/t", "service": "s", "scope": "repository:a:pull,push"}),
        ("bearer realm = https://a/t , service=s", "bearer", {"realm": "https://a/t", "service": "s"}),
        ('Basic realm="x", Bearer realm="https://a/t"', "bearer", {"realm": "https://a/t"}),
        ('Basic realm="Bearer realm=x"', "basic", {}),
        ("BASIC", "basic", {}),
        ("Negotiate", "", {}),
        ("", "", {}),
    ],
)  # fmt: skip
def test_how_a_registry_asks(challenge: str, scheme: str, parameters: dict[str, str]) -> None:
    assert parsed(challenge) == (scheme, parameters)


@pytest.mark.parametrize("answer", [b'{"token": "a"}', b'{"access_token": "a", "token": null}'])
def test_a_token_has_two_names(fake: FakeRegistry, answer: bytes) -> None:
    fake.token, fake.gives = "a", answer
    assert client(fake).manifest("v1") == b"{}"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"{}", "answered with no token"),
        (b"[]", "answered with no token"),
        (b'{"token": 1}', "answered with no token"),
        (b'{"token": "a\\r\\nX: y"}', "answered with no token"),
        (b"<html>", "answered with no token"),
        (b'{"token": "' + b"a" * (1 << 18) + b'"}', "answered with too much"),
    ],
)
def test_what_is_no_token(fake: FakeRegistry, answer: bytes, says: str) -> None:
    fake.gives = answer
    with pytest.raises(FetchError, match=says):
        client(fake).manifest("v1")


@pytest.mark.parametrize("realm", ["token", "ftp://a/t", "file:///etc/passwd", "https://me:x@a/t", "https://"])
def test_a_token_server_that_is_none(fake: FakeRegistry, realm: str) -> None:
    fake.realm = realm
    with pytest.raises(FetchError, match="as its token server, which is not https://"):
        client(fake).manifest("v1")


@pytest.mark.parametrize(
    ("realm", "registry", "may_be"),
    [
        ("https://a/t?x=1", "https://r/v2/m", True),
        ("http://a/t", "https://r/v2/m", False),
        ("http://a/t", "HTTPS://r/v2/m", False),
        ("http://a/t", "http://r/v2/m", True),
        ("https://a", "http://r/v2/m", True),
    ],
)
def test_a_registry_with_tls_names_no_token_server_without(realm: str, registry: str, may_be: bool) -> None:
    assert may_be_asked(realm, registry) is may_be
