"""The server that a URL names, if it may be connected to; pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import httpx

from whisper_runtime.contract.outbound import PORTS, AllowedHost
from whisper_runtime.service.outbound.errors import OutboundError

SHOWN: Final = 100
"""Characters of a URL's host that an error repeats."""
LONGEST_NAME: Final = 253
LABEL: Final = re.compile("[-_a-z0-9]{1,63}")


@dataclass(frozen=True)
class Destination:
    scheme: str
    host: str
    """In small letters; of another script, as its A-label."""
    port: int


def parsed(text: str, base: httpx.URL | None = None) -> httpx.URL:
    """`text` as a URL, relative to `base` where there is one; raises OutboundError (Invalid)."""
    try:
        return base.join(text) if base else httpx.URL(text)
    except (httpx.InvalidURL, ValueError):  # ValueError: a host that is no name in IDNA
        raise OutboundError("Invalid", "is not a valid URL") from None


def destination(url: httpx.URL, allowed: Collection[AllowedHost]) -> Destination:
    """The server of `url`; raises OutboundError where it is none of those `allowed`.

    The same object is asked for the host here and sent later, so that no second reading of the URL can differ.
    """
    if url.scheme not in PORTS or not url.host:
        raise OutboundError("Invalid", "does not begin with https:// and the name of a host")
    if url.userinfo:
        raise OutboundError("Invalid", "has a user's name or a password in it, which are never sent")
    host, port = url.raw_host.decode("ascii"), url.port or PORTS[url.scheme]
    if not any(one.covers(url.scheme, host, port) for one in allowed):
        by = url.scheme if port == PORTS[url.scheme] else f"{url.scheme} and port {port}"
        raise OutboundError("NotAllowed", f"is on {host[:SHOWN]}, to which this server does not connect by {by}")
    if len(host) > LONGEST_NAME or not all(map(LABEL.fullmatch, host.split("."))):
        raise OutboundError("Invalid", "has a host whose name is not valid")
    return Destination(url.scheme, host, port)
