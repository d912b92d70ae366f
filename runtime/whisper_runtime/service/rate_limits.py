"""The rates that one client may use: requests in a minute, and audio in an hour."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from whisper_runtime.errors import too_many_requests
from whisper_runtime.service.client_identity import MAX_CLIENTS

RATE_HEADERS: Final = tuple(
    f"x-ratelimit-{kind}-{unit}" for unit in ("requests", "audio-seconds") for kind in ("limit", "remaining", "reset")
)
"""The headers of RateLimits, for CORS: a web page may read them."""


class TokenBuckets:
    """A token bucket for each client, which holds `capacity` tokens and fills up in `period` seconds.

    Beyond MAX_CLIENTS, the clients that have been quiet for longest are forgotten and start anew.
    """

    def __init__(self, capacity: float, period: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.capacity = capacity
        self._per_second = capacity / period
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """The tokens that a client had, and when."""

    def left(self, client: str) -> float:
        """Tokens that the client has now; below 0 where it took more than there were."""
        level, at = self._levels.get(client, (self.capacity, 0.0))
        return min(self.capacity, level + (self._clock() - at) * self._per_second)

    def take(self, client: str, tokens: float) -> None:
        """Takes `tokens`, even more than there are: the client then waits until the debt is paid."""
        self._levels[client] = self.left(client) - tokens, self._clock()
        self._levels.move_to_end(client)
        if len(self._levels) > MAX_CLIENTS:
            self._levels.popitem(last=False)

    def seconds_until(self, client: str, tokens: float) -> float:
        """Seconds until the client has `tokens`; 0 where it has them now."""
        return max(0.0, (tokens - self.left(client)) / self._per_second)


class RateLimits:
    """The buckets of one process; a limit that is None is none."""

    def __init__(
        self,
        requests_per_minute: int | None,
        audio_minutes_per_hour: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = TokenBuckets(requests_per_minute, 60, clock) if requests_per_minute else None
        self._audio = TokenBuckets(audio_minutes_per_hour * 60, 3600, clock) if audio_minutes_per_hour else None
        """In seconds of audio."""

    def charge_request(self, client: str) -> None:
        """Counts a request; raises HttpError (429), and counts nothing, where the client must wait.

        How much audio a request holds is known only once it is decoded, so the last one may take more than was left,
        and the next ones wait for longer.
        """
        if self._requests and (seconds := self._requests.seconds_until(client, 1)):
            _refuse(f"{self._requests.capacity:.0f} requests in a minute", seconds, "rate_limit_exceeded")
        self.check_audio(client)
        if self._requests:
            self._requests.take(client, 1)

    def check_audio(self, client: str) -> None:
        """Raises HttpError (429) where the client has used up its audio."""
        if self._audio and self._audio.left(client) <= 0:
            seconds = self._audio.seconds_until(client, 1)
            _refuse(f"{self._audio.capacity / 60:.0f} minutes of audio in an hour", seconds, "audio_exhausted")

    def return_request(self, client: str) -> None:
        """Takes back what charge_request has counted, of a request that the server could not take after all."""
        if self._requests:
            self._requests.take(client, -1)

    def charge_audio(self, client: str, seconds: float) -> None:
        """Counts the `seconds` of audio of a request."""
        if self._audio:
            self._audio.take(client, seconds)

    def return_audio(self, client: str, seconds: float) -> None:
        """Takes back what charge_audio has counted."""
        if self._audio and seconds:
            self._audio.take(client, -seconds)

    def headers(self, client: str) -> dict[str, str]:
        """The client's limits and what is left of them, in OpenAI's headers; `reset` is the time until all is back."""
        found: dict[str, str] = {}
        for unit, buckets in (("requests", self._requests), ("audio-seconds", self._audio)):
            if buckets:
                found[f"x-ratelimit-limit-{unit}"] = f"{buckets.capacity:.0f}"
                found[f"x-ratelimit-remaining-{unit}"] = str(max(0, math.floor(buckets.left(client))))
                reset = math.ceil(buckets.seconds_until(client, buckets.capacity))
                found[f"x-ratelimit-reset-{unit}"] = f"{reset}s"
        return found


def _refuse(limit: str, seconds: float, code: str) -> None:
    wait = math.ceil(seconds)
    raise too_many_requests(f"The limit of {limit} is reached: try again in {wait} s.", code, wait)
