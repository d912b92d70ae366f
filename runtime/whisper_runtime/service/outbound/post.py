"""Posts a small body to a URL; of the response the status is read, and when to come again."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from whisper_runtime.service.outbound.destination import parsed
from whisper_runtime.service.outbound.errors import OutboundError

POST_SECONDS: Final = 10.0
"""The longest that one may take, with its look-up and its connection."""
LONGEST_NUMBER: Final = 12
"""Digits that are read of a Retry-After."""
HEADERS: Final = {"Connection": "close", "Content-Type": "application/json", "User-Agent": "whisper-runtime"}


@dataclass(frozen=True)
class Posted:
    """What came back."""

    status: int
    retry_after: float | None
    """Seconds after which the server wants to be asked again; None: it does not say."""


async def post(
    transport: httpx.AsyncBaseTransport,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float = POST_SECONDS,
) -> Posted:
    """What the server at `url` answers, by a GuardedTransport; a redirect is not followed.

    Raises OutboundError, also after so many seconds.
    """
    request = httpx.Request("POST", parsed(url), headers={**HEADERS, **headers}, content=body)
    try:
        async with asyncio.timeout(seconds):
            response = await transport.handle_async_request(request)
            await response.aclose()
    except TimeoutError:
        raise OutboundError("TooSlow", f"did not answer within {seconds:g} s") from None
    return Posted(response.status_code, retry_after_seconds(response.headers.get("Retry-After", ""), time.time()))


def retry_after_seconds(value: str, now: float) -> float | None:
    """Seconds from `now` on, a Unix time, that a Retry-After names (RFC 9110, section 10.2.3); None: it names none."""
    if value.isascii() and value.isdigit():
        return float(value[:LONGEST_NUMBER])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or datetime.UTC).timestamp() - now)
