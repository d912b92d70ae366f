"""A response that is sent before the request's body is read.

Closing a socket on which the client still writes resets the connection, and many clients then lose the response.
So the whole response goes out first, and what still arrives is thrown away for a bounded time.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from whisper_runtime.errors import HttpError, error_response

LINGER_SECONDS: Final = 30.0
LINGER_BYTES: Final = 128 * 1024**2
"""More than a body may have by default: a client that sends its body to the end before it reads gets its response."""


async def refuse(error: HttpError, scope: Scope, receive: Receive, send: Send, longest: int = 0) -> None:
    """Sends `error`, drops the rest of the body as `send_last` does, closes the connection."""
    response = error_response(error)
    response.headers["connection"] = "close"
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send_last(bytes(response.body), scope, receive, send, longest)


async def send_last(part: bytes, scope: Scope, receive: Receive, send: Send, longest: int = 0) -> None:
    """Sends a response's last part; drops the rest of the body within LINGER_SECONDS.

    Of that, LINGER_BYTES, or `longest` where the server takes bodies that are longer.
    """
    await send({"type": "http.response.body", "body": part, "more_body": True})
    if "expect" not in Headers(scope=scope):  # a client that expects 100 has its response now, and sends no body
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_drop(receive, max(LINGER_BYTES, longest)), LINGER_SECONDS)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drop(receive: Receive, most: int) -> None:
    more, left = True, most
    while more and left > 0:
        message = await receive()
        more = message["type"] == "http.request" and message.get("more_body", False)
        left -= len(message.get("body", b""))
