"""Addresses at which clouds tell their machines who they are, and give them credentials: no model is there. Pure."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

NETWORKS: Final = tuple(
    map(
        ip_network,
        (
            "169.254.0.0/16",  # link-local: nearly all clouds
            "100.100.100.200/32",  # Alibaba
            "168.63.129.16/32",  # Azure's agent of its virtual machines
            "192.0.0.192/32",  # Oracle
            "fe80::/10",  # link-local
            "fd00:ec2::/32",  # AWS
            "fd20:ce::254/128",  # Google
            "64:ff9b::a9fe:0/112",  # link-local IPv4 addresses behind a NAT64
        ),
    )
)


def is_of_metadata(address: str) -> bool:
    """Whether `address`, as a socket names its peer, is one of them; the form of IPv4 within IPv6 counts as IPv4."""
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in network for network in NETWORKS)
