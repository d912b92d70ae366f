"""Public addresses may be connected to; others where their network is listed, and never by an IPv4 address within."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_runtime.service.outbound.addresses import is_permitted

REFUSED = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3"),
    *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.255"),
    # the ranges of Services and pods as kubeadm, kind, k3s, EKS and GKE have them, in both families
    *("10.96.0.1", "10.244.1.7", "10.43.0.1", "10.42.0.9", "172.20.0.10", "100.64.8.8"),
    *("fd00:10:96::a", "fd00:10:244::7"),
    *("169.254.1.1", "169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "192.88.99.1"),
    *("::", "::1", "fe80::1", "fe80::1%1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "100::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8"),
    *("64:ff9b::127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::8.8.8.8"),
    *("2002:7f00:1::", "2002:808:808::1", "2001:0:5ef5:79fd::1", "3fff::1", "5f00::1"),
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1", "2a00:1450:4001::1"]


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_permitted(ip_address(address), ())


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_permitted(address: str) -> None:
    assert is_permitted(ip_address(address), ())


@pytest.mark.parametrize(
    ("address", "networks", "wanted"),
    [
        ("10.20.0.1", ["10.20.0.0/16"], True),
        ("10.21.0.1", ["10.20.0.0/16"], False),
        ("fd00::1", ["10.20.0.0/16", "fd00::/64"], True),
        ("169.254.169.254", ["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"], False),
        ("::1", ["::1/128"], True),
        ("127.0.0.1", ["::/0"], False),
    ],
)
def test_a_listed_network_is_permitted_and_no_other(address: str, networks: list[str], wanted: bool) -> None:
    assert is_permitted(ip_address(address), [ip_network(one) for one in networks]) == wanted


def test_what_is_the_clusters_is_not_public_unless_it_is_listed() -> None:
    own = [ip_network("20.1.0.0/16"), ip_network("2600:1::/32")]
    assert is_permitted(ip_address("20.2.0.1"), (), own)
    for address in ("20.1.0.1", "2600:1::1", "::ffff:20.1.0.1"):
        assert not is_permitted(ip_address(address), (), own)
    assert is_permitted(ip_address("20.1.0.1"), [ip_network("20.1.0.0/24")], own)
    assert not is_permitted(ip_address("64:ff9b::20.1.0.1"), [ip_network("64:ff9b::/96")], own)


@pytest.mark.parametrize(
    ("form", "network"),
    [
        ("::ffff:{}", "::ffff:0:0/96"),
        ("64:ff9b::{}", "64:ff9b::/96"),
        ("::{}", "::/96"),
    ],
)
def test_behind_a_listed_form_of_ipv4_only_public_addresses_are_permitted(form: str, network: str) -> None:
    """`64:ff9b::/96` is what a cluster without IPv4 lists to reach those that have nothing else."""
    listed = [ip_network(network)]
    assert is_permitted(ip_address(form.format("8.8.8.8")), listed)
    assert not is_permitted(ip_address(form.format("10.20.0.1")), listed)
    assert not is_permitted(ip_address(form.format("169.254.169.254")), listed)
    assert is_permitted(ip_address(form.format("10.20.0.1")), [*listed, ip_network("10.20.0.0/16")])


@pytest.mark.parametrize(("address", "network"), [("2002:a14:1::1", "2002::/16"), ("2001::f5eb:fffe", "2001::/32")])
def test_6to4_and_teredo_end_at_an_ipv4_address_too(address: str, network: str) -> None:
    """Both at 10.20.0.1."""
    assert not is_permitted(ip_address(address), [ip_network(network)])
    assert is_permitted(ip_address(address), [ip_network(network), ip_network("10.20.0.0/16")])


@given(st.ip_addresses())
def test_no_address_is_permitted_that_python_calls_something_else_than_global(address: object) -> None:
    found = ip_address(str(address))
    assert not is_permitted(found, ()) or (found.is_global and not found.is_multicast)
