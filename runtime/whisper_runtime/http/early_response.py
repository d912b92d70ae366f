"""An answer given before the request's body is read.

Closing a socket on which the client still writes resets the connection, and many clients then lose the answer.
So the whole answer goes out first, and what still arrives is thrown away for a bounded time.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from whisper_runtime.errors import ApiError, error_response

LINGER_SECONDS: Final = 30.0
MAX_RETRY_AFTER: Final = 120
"""Seconds; OpenAI's client does not try again at all where it is told to wait longer."""


def retry_after(excess: float, speed: float) -> int:
    """Seconds until the model has worked off `excess` seconds of audio."""
    return max(1, min(math.ceil(excess / speed), MAX_RETRY_AFTER))


def try_later(message: str, code: str, excess: float, speed: float) -> ApiError:
    """429 with the time after which there will be room."""
    headers = {"Retry-After": str(retry_after(excess, speed))}
    return ApiError(429, message, code=code, kind="rate_limit_error", headers=headers)


async def refuse(error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers `error`, reads and drops the rest of the body for at most LINGER_SECONDS, closes the connection."""
    response = error_response(error)
    response.headers["connection"] = "close"
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await last(bytes(response.body), scope, receive, send)


async def last(part: bytes, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends an answer's last part; reads and drops the rest of the body for at most LINGER_SECONDS."""
    await send({"type": "http.response.body", "body": part, "more_body": True})
    if "expect" not in Headers(scope=scope):  # who asked before sending has its answer, and sends nothing
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_drop(receive), LINGER_SECONDS)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drop(receive: Receive) -> None:
    more = True
    while more:
        message = await receive()
        more = message["type"] == "http.request" and message.get("more_body", False)
