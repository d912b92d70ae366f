"""Posts a small body to a URL; of the response the status alone is read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import httpx

from whisper_runtime.service.outbound.destination import parsed
from whisper_runtime.service.outbound.errors import OutboundError

POST_SECONDS: Final = 10.0
"""The longest that one may take, with its look-up and its connection."""
HEADERS: Final = {"Connection": "close", "Content-Type": "application/json", "User-Agent": "whisper-runtime"}


async def post(
    transport: httpx.AsyncBaseTransport,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float = POST_SECONDS,
) -> int:
    """The status that the server at `url` answers, by a GuardedTransport; a redirect is not followed.

    Raises OutboundError, also after so many seconds.
    """
    request = httpx.Request("POST", parsed(url), headers={**HEADERS, **headers}, content=body)
    try:
        async with asyncio.timeout(seconds):
            response = await transport.handle_async_request(request)
            await response.aclose()
    except TimeoutError:
        raise OutboundError("TooSlow", f"did not answer within {seconds:g} s") from None
    return response.status_code
