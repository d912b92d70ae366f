"""Where the process stands between its start and its end; the server writes it, probes and requests read it."""

from __future__ import annotations

import time
from enum import Enum
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEARTBEAT_SECONDS: Final = 1.0
STALE_SECONDS: Final = 15.0
"""A main loop that did not run for this long is stuck: a restart is the remedy."""


class Phase(Enum):
    SERVING = "serving"
    LEAVING = "leaving"
    """Not ready any more, but still accepting: endpoints of a Service lag behind readiness by seconds."""
    REFUSING = "refusing"
    """New work gets 503; what was accepted is finished."""


class Lifecycle:
    """One phase and one heartbeat, each a single reference, so that the probes' thread reads them without a lock."""

    def __init__(self) -> None:
        self.phase = Phase.SERVING
        self._beaten = time.monotonic()

    def beat(self) -> None:
        self._beaten = time.monotonic()

    @property
    def stale(self) -> bool:
        """Whether the main event loop has not run for STALE_SECONDS."""
        return time.monotonic() - self._beaten > STALE_SECONDS


class CloseWhileLeaving:
    """Sends kept-alive clients elsewhere: while the process leaves, each answer carries `Connection: close`."""

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self.app = app
        self.lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        leaving = self.lifecycle.phase is not Phase.SERVING
        await self.app(scope, receive, closing if leaving else send)
