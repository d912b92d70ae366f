"""The name under which limits count a client: that of its API key, else its address. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final

MAX_CLIENTS: Final = 10_000
"""Clients that the process keeps apart: API keys that it reads, and clients that a limit remembers."""
SITE_PREFIX: Final = 64
"""Bits of an IPv6 address that identify a site; a site may vary the rest."""


def by_key(name: str) -> str:
    """The client whose API key has this name."""
    return f"key {name}"


def by_address(host: str) -> str:
    """The client of a request without a key; `host` is its address, or empty where the socket has none.

    Behind a proxy every address is the proxy's, unless FORWARDED_ALLOW_IPS names it: uvicorn then takes the address
    from X-Forwarded-For.
    """
    return f"address {site(host)}"


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
