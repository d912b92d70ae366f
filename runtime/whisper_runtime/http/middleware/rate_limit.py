"""How much each client may ask for: requests in a minute, and audio in an hour; decided before the body is read."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whisper_runtime.errors import ApiError
from whisper_runtime.http.early_response import refuse
from whisper_runtime.service.client_identity import client_of

MAX_CLIENTS: Final = 10_000
"""Clients that are remembered; of more, those that have been quiet for longest start anew."""

RATE_HEADERS: Final = tuple(
    f"x-ratelimit-{kind}-{what}" for what in ("requests", "audio-seconds") for kind in ("limit", "remaining", "reset")
)
"""What a web page may read of an answer."""

Clock = Callable[[], float]


class Allowance:
    """A bucket for each client, which holds `capacity` and fills up in `period` seconds."""

    def __init__(self, capacity: float, period: float, clock: Clock = time.monotonic) -> None:
        self.capacity = capacity
        self._per_second = capacity / period
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def left(self, client: str) -> float:
        """What the client may still take now; below 0 where it took more than there was."""
        level, at = self._levels.get(client, (self.capacity, 0.0))
        return min(self.capacity, level + (self._clock() - at) * self._per_second)

    def take(self, client: str, amount: float) -> None:
        self._levels[client] = self.left(client) - amount, self._clock()
        self._levels.move_to_end(client)
        if len(self._levels) > MAX_CLIENTS:
            self._levels.popitem(last=False)

    def seconds_until(self, client: str, amount: float) -> float:
        """Seconds until the client may take `amount`."""
        return max(0.0, (amount - self.left(client)) / self._per_second)


class Rates:
    """The allowances of one process; None: no limit."""

    def __init__(
        self, requests_per_minute: int | None, audio_minutes_per_hour: int | None, clock: Clock = time.monotonic
    ) -> None:
        self.requests = Allowance(requests_per_minute, 60, clock) if requests_per_minute else None
        self.audio = Allowance(audio_minutes_per_hour * 60, 3600, clock) if audio_minutes_per_hour else None

    def refusal(self, client: str) -> ApiError | None:
        """Why the client must wait, with how long; None: it may ask.

        How much audio a request holds is known only once it is decoded, so the last one may take more than was left,
        and the next ones wait for longer.
        """
        if self.requests and (seconds := self.requests.seconds_until(client, 1)):
            return _exceeded(f"{self.requests.capacity:.0f} requests in a minute", seconds, "rate_limit_exceeded")
        if self.audio and self.audio.left(client) <= 0:
            seconds = self.audio.seconds_until(client, 1)
            return _exceeded(f"{self.audio.capacity / 60:.0f} minutes of audio in an hour", seconds, "audio_exhausted")
        return None

    def asked(self, client: str) -> None:
        """Counts a request."""
        if self.requests:
            self.requests.take(client, 1)

    def heard(self, client: str, seconds: float) -> None:
        """Counts the audio of a request."""
        if self.audio:
            self.audio.take(client, seconds)

    def headers(self, client: str) -> dict[str, str]:
        """What is left, in headers named as OpenAI names its own; `reset` is when all of it is there again."""
        found: dict[str, str] = {}
        for what, allowance in (("requests", self.requests), ("audio-seconds", self.audio)):
            if allowance:
                found[f"x-ratelimit-limit-{what}"] = f"{allowance.capacity:.0f}"
                found[f"x-ratelimit-remaining-{what}"] = str(max(0, math.floor(allowance.left(client))))
                reset = math.ceil(allowance.seconds_until(client, allowance.capacity))
                found[f"x-ratelimit-reset-{what}"] = f"{reset}s"
        return found


class RateLimit:
    """Counts each POST against its client's allowances, and refuses (429) what exceeds them."""

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self.app = app
        self.rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        client = client_of(scope)

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.rates.headers(client))
            await send(message)

        if error := self.rates.refusal(client):
            return await refuse(error, scope, receive, telling)
        self.rates.asked(client)
        await self.app(scope, receive, telling)


def _exceeded(limit: str, seconds: float, code: str) -> ApiError:
    wait = math.ceil(seconds)
    message = f"You may send {limit}, and have: try again in {wait} s."
    return ApiError(429, message, code=code, kind="rate_limit_error", headers={"Retry-After": str(wait)})
