"""An entry of allowed hosts covers one scheme and one port; addresses that clouds and registries reserve are listed."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

import pytest

from whisper_runtime.contract.outbound import (
    ALLOWED_HOST_PATTERN,
    NOT_PUBLIC_IPV4,
    NOT_PUBLIC_IPV6,
    PUBLIC_IPV6,
    AllowedHost,
)


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("files.example.com", AllowedHost("https", "files.example.com", 443)),
        ("https://files.example.com", AllowedHost("https", "files.example.com", 443)),
        ("files.example.com:8443", AllowedHost("https", "files.example.com", 8443)),
        ("http://files.example.com", AllowedHost("http", "files.example.com", 80)),
        ("http://minio:9000", AllowedHost("http", "minio", 9000)),
        ("*.example.com", AllowedHost("https", "*.example.com", 443)),
    ],
)
def test_an_entry_is_one_scheme_and_one_port(entry: str, wanted: AllowedHost) -> None:
    assert re.fullmatch(ALLOWED_HOST_PATTERN, entry)
    assert AllowedHost.parse(entry) == wanted


@pytest.mark.parametrize(
    "entry",
    [
        *("*", "*.", "", "https://", "10.0.0.1", "http://127.0.0.1:80", "[::1]", "files.example.com/path", "a b"),
        *(
            "user@files.example.com",
            "ftp://files.example.com",
            "files.*.com",
            "Files.example.com",
            "files.example.com.",
        ),
        *("files.example.com:0", "files.example.com:65536", "files.example.com:", "-a.example.com"),
    ],
)
def test_what_is_no_entry(entry: str) -> None:
    assert not re.fullmatch(ALLOWED_HOST_PATTERN, entry)


@pytest.mark.parametrize(
    ("entry", "scheme", "host", "port", "is_covered"),
    [
        ("files.example.com", "https", "files.example.com", 443, True),
        ("files.example.com", "http", "files.example.com", 80, False),
        ("files.example.com", "https", "files.example.com", 8443, False),
        ("files.example.com", "https", "a.files.example.com", 443, False),
        ("http://files.example.com", "http", "files.example.com", 80, True),
        ("http://files.example.com", "https", "files.example.com", 443, False),
        ("*.example.com", "https", "a.example.com", 443, True),
        ("*.example.com", "https", "a.b.example.com", 443, True),
        ("*.example.com", "https", "example.com", 443, False),
        ("*.example.com", "https", "evilexample.com", 443, False),
        ("*.example.com", "https", "a.example.com.evil.org", 443, False),
    ],
)
def test_an_entry_covers_just_what_it_says(entry: str, scheme: str, host: str, port: int, is_covered: bool) -> None:
    assert AllowedHost.parse(entry).covers(scheme, host, port) == is_covered


def test_the_public_range_of_ipv6_holds_the_exceptions() -> None:
    assert all(ip_network(one).subnet_of(ip_network(PUBLIC_IPV6)) for one in NOT_PUBLIC_IPV6)


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16"),  # clouds' metadata
        *("0.0.0.0", "127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "224.0.0.1", "255.255.255.255"),
    ],
)
def test_no_address_within_is_public(address: str) -> None:
    assert any(ip_address(address) in ip_network(one) for one in NOT_PUBLIC_IPV4)
