"""Who asks: the name that its key has, else its address."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network

from starlette.types import Scope

SITE_PREFIX = 64
"""Bits of an IPv6 address that one site has; the rest of it is its own to vary."""


def named(scope: Scope, name: str) -> None:
    """Notes that the request brought the key of the client `name`."""
    scope.setdefault("state", {})["client"] = f"key {name}"


def client_of(scope: Scope) -> str:
    """One string for each client that limits tell apart.

    Behind a proxy every address is the proxy's, unless FORWARDED_ALLOW_IPS names it: uvicorn then takes the address
    from X-Forwarded-For.
    """
    known = scope.get("state", {}).get("client")
    return known or f"address {site(scope['client'][0] if scope.get('client') else '')}"


def site(host: str) -> str:
    """The address; of IPv6 the network of the site; `host` itself where it is neither."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, SITE_PREFIX), strict=False))
