"""Limits count a client by the name of its API key, else by the site of its address."""

from __future__ import annotations

import pytest

from whisper_runtime.service.client_identity import NO_KEY, as_connected, by_address, by_key, label, site


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_addresses_of_one_site_are_one_client(host: str, client: str) -> None:
    assert site(host) == client


def test_a_key_is_never_taken_for_an_address() -> None:
    assert by_key("192.0.2.7") != by_address("192.0.2.7")


@pytest.mark.parametrize(
    ("client", "expected"),
    [(by_key("alice"), "alice"), (by_key("a b"), "a b"), (by_address("192.0.2.7"), NO_KEY), (by_address(""), NO_KEY)],
)
def test_metrics_name_a_client_by_its_key_and_no_address(client: str, expected: str) -> None:
    assert label(client) == expected


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("10.1.2.3/8", ["10.0.0.0/8", "::ffff:a00:0/104"]),
        ("192.0.2.7", ["192.0.2.7/32", "::ffff:c000:207/128"]),
        ("fd00::/8", ["fd00::/8"]),
    ],
)
def test_a_proxy_of_ipv4_may_come_by_a_socket_of_ipv6(proxy: str, shown: list[str]) -> None:
    assert as_connected([proxy]) == shown
