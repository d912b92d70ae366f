"""The name under which limits count a client: that of its API key, else its address. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from typing import Final

NO_KEY: Final = "(no key)"
"""The label of all clients without a key; the key of a Secret has no parentheses."""
MAX_CLIENTS: Final = 10_000
"""Clients that the process keeps apart: API keys that it reads, and clients that a limit remembers."""
SITE_PREFIX: Final = 64
"""Bits of an IPv6 address that identify a site; a site may vary the rest."""


def by_key(name: str) -> str:
    """The client whose API key has this name."""
    return f"key {name}"


def label(client: str) -> str:
    """The client's label in metrics: its key's name. Addresses have none: they are people's, and without bound."""
    kind, _, name = client.partition(" ")
    return name if kind == "key" else NO_KEY


def by_address(host: str) -> str:
    """The client of a request without a key; `host` is its address, or empty where the socket has none.

    Behind a proxy every address is the proxy's, unless it is trusted (`RuntimeConfig.trusted_proxies`): uvicorn then
    takes the address from X-Forwarded-For.
    """
    return f"address {site(host)}"


@lru_cache(maxsize=1024)
def site(host: str) -> str:
    """The IPv4 address, the network of an IPv6 address's site, or `host` itself where it is neither."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, SITE_PREFIX), strict=False))


def as_connected(proxies: Iterable[str]) -> list[str]:
    """The addresses and networks as a socket shows them that takes both families: those of IPv4 mapped to IPv6, too.

    Such a socket shows 10.0.0.1 as ::ffff:10.0.0.1, which is in no network of IPv4 (RFC 4291, section 2.5.5.2).
    """
    networks = [ip_network(proxy, strict=False) for proxy in proxies]
    mapped = [
        ip_network(f"::ffff:{network.network_address}/{96 + network.prefixlen}")
        for network in networks
        if isinstance(network, IPv4Network)
    ]
    return [str(network) for network in (*networks, *mapped)]
