"""No checkpoint is asked for where clouds tell their machines who they are, whatever name or redirect leads there."""

from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest

from tests.fakes.mirror import Mirror, refusing
from tests.runtime.fetch.conftest import http_source, received
from whisper_runtime.fetch import metadata_address
from whisper_runtime.fetch.errors import FetchError, TransientFetchError
from whisper_runtime.fetch.metadata_address import is_of_metadata


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.23",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fe80::a9fe:a9fe%eth0",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_there_clouds_tell_machines_who_they_are(address: str) -> None:
    assert is_of_metadata(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.96.0.10", "169.253.1.1", "100.100.100.1", "203.0.113.7", "::1", "fd00::1", "2600::1"]
)
def test_there_a_mirror_may_be(address: str) -> None:
    assert not is_of_metadata(address)


def test_a_name_that_leads_there_is_given_up_before_anything_is_sent(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given that this machine's own addresses were such: a name can lead to no other one here."""
    monkeypatch.setattr(metadata_address, "NETWORKS", (ip_network("127.0.0.0/8"),))
    with pytest.raises(FetchError, match=r"leads to 127\.0\.0\.1, where clouds have no models") as raised:
        received(http_source(mirror.url.replace("127.0.0.1", "localhost"), "Bearer hunter2"))
    assert not isinstance(raised.value, TransientFetchError)
    assert mirror.requests == []


def test_a_redirect_that_leads_there_is_not_followed(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata_address, "NETWORKS", (ip_network("127.0.0.2/32"),))
    with socket.create_server(("127.0.0.2", 0)) as elsewhere:
        mirror.answers = [refusing(302, Location=f"http://127.0.0.2:{elsewhere.getsockname()[1]}/")]
        with pytest.raises(FetchError, match=r"leads to 127\.0\.0\.2"):
            received(http_source(mirror.url))
        connection, _ = elsewhere.accept()
        with connection:
            assert connection.recv(1) == b"", "it is closed, and nothing was sent"


def test_a_proxy_is_no_way_there(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata_address, "NETWORKS", (ip_network("127.0.0.0/8"),))
    monkeypatch.setenv("HTTP_PROXY", mirror.url)
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(FetchError, match=r"leads to 127\.0\.0\.1"):
        received(http_source("http://models.example.com/base.pt"))
    assert mirror.requests == []
