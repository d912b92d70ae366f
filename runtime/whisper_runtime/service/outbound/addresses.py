"""Which addresses may be connected to: public ones but the cluster's, and those in networks that are listed; pure."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from whisper_runtime.contract.outbound import NOT_PUBLIC_IPV4, NOT_PUBLIC_IPV6, PUBLIC_IPV6

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

_NOT_PUBLIC_IPV4: Final = tuple(map(IPv4Network, NOT_PUBLIC_IPV4))
_PUBLIC_IPV6: Final = IPv6Network(PUBLIC_IPV6)
_NOT_PUBLIC_IPV6: Final = tuple(map(IPv6Network, NOT_PUBLIC_IPV6))
_IPV4_IN_LAST_BITS: Final = tuple(map(IPv6Network, ("::/96", "::ffff:0:0/96", "64:ff9b::/96")))
"""IPv4-compatible and IPv4-mapped addresses (RFC 4291, 2.5.5), and NAT64's well-known prefix (RFC 6052, 2.1)."""


def is_permitted(
    address: IPAddress, private_networks: Collection[IPNetwork], cluster_networks: Collection[IPNetwork] = ()
) -> bool:
    """Whether a connection to `address` is allowed: it is public, or in one of `private_networks`.

    What is in one of `cluster_networks` is not public, whoever else may have such an address.
    An IPv6 form of an IPv4 address is public never. Where its network is listed, the IPv4 address in it is judged too:
    `64:ff9b::/96` opens the public addresses behind a NAT64, and no private one.
    """
    if not any(address in network for network in private_networks):
        return _is_public(address) and not any(address in network for network in cluster_networks)
    inner = _ipv4_within(address)
    return inner is None or is_permitted(inner, private_networks, cluster_networks)


def _is_public(address: IPAddress) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_IPV4)
    return address in _PUBLIC_IPV6 and not any(address in network for network in _NOT_PUBLIC_IPV6)


def _ipv4_within(address: IPAddress) -> IPv4Address | None:
    """The IPv4 address that packets to this IPv6 address end at; None: it is no such form."""
    if isinstance(address, IPv4Address) or int(address) <= 1:  # the unspecified address and loopback are IPv6's own
        return None
    if any(address in network for network in _IPV4_IN_LAST_BITS):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour or (address.teredo[1] if address.teredo else None)
