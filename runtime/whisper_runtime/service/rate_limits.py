"""The rates that one client may use: requests in a minute, and audio in an hour."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Literal, Protocol

from whisper_runtime.errors import HttpError, too_many_requests
from whisper_runtime.service.client_identity import MAX_CLIENTS

RATE_HEADERS: Final = tuple(
    f"x-ratelimit-{kind}-{unit}" for unit in ("requests", "audio-seconds") for kind in ("limit", "remaining", "reset")
)
"""The headers of ClientRates, for CORS: a web page may read them."""

RateBucket = Literal["requests", "audio"]


class ClientRates(Protocol):
    """The rates of all clients, as Admission counts them."""

    async def charge_request(self, client: str) -> None:
        """Counts a request; raises HttpError (429), and counts nothing, where the client must wait.

        How much audio a request holds is known only once it is decoded, so the last one may take more than was left,
        and the next ones wait for longer.
        """
        ...

    def check_audio(self, client: str) -> None:
        """Raises HttpError (429) where the client has used up its audio, as far as this process knows."""
        ...

    def return_request(self, client: str) -> None:
        """Takes back what charge_request has counted, of a request that the server could not take after all."""
        ...

    def charge_audio(self, client: str, seconds: float) -> None:
        """Counts the `seconds` of audio of a request."""
        ...

    def return_audio(self, client: str, seconds: float) -> None:
        """Takes back what charge_audio has counted."""
        ...

    async def settle(self, client: str) -> None:
        """Waits until what was charged and returned counts wherever the client sends its next request."""
        ...

    def headers(self, client: str) -> dict[str, str]:
        """The client's limits and what is left of them, in OpenAI's headers; `reset` is the time until all is back."""
        ...


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

    def learn(self, client: str, level: float) -> None:
        """Notes that the client has so many tokens now."""
        self.take(client, self.left(client) - level)

    def seconds_until(self, client: str, tokens: float) -> float:
        """Seconds until the client has `tokens`; 0 where it has them now."""
        return max(0.0, (tokens - self.left(client)) / self._per_second)


class RateLimits:
    """ClientRates by buckets of this process; a limit that is None is none."""

    def __init__(
        self,
        requests_per_minute: int | None,
        audio_minutes_per_hour: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = TokenBuckets(requests_per_minute, 60, clock) if requests_per_minute else None
        self._audio = TokenBuckets(audio_minutes_per_hour * 60, 3600, clock) if audio_minutes_per_hour else None
        """In seconds of audio."""

    @property
    def requests_capacity(self) -> float:
        """Requests in a minute; 0: no limit."""
        return self._requests.capacity if self._requests else 0.0

    @property
    def audio_capacity(self) -> float:
        """Seconds of audio in an hour; 0: no limit."""
        return self._audio.capacity if self._audio else 0.0

    async def charge_request(self, client: str) -> None:
        if self._requests and self._requests.left(client) < 1:
            raise self.refusal(client, "requests")
        self.check_audio(client)
        if self._requests:
            self._requests.take(client, 1)

    def check_audio(self, client: str) -> None:
        if self._audio and self._audio.left(client) <= 0:
            raise self.refusal(client, "audio")

    def return_request(self, client: str) -> None:
        if self._requests:
            self._requests.take(client, -1)

    def charge_audio(self, client: str, seconds: float) -> None:
        if self._audio:
            self._audio.take(client, seconds)

    def return_audio(self, client: str, seconds: float) -> None:
        if self._audio and seconds:
            self._audio.take(client, -seconds)

    async def settle(self, client: str) -> None:
        """Nothing is on its way."""

    def learn(self, client: str, requests: float, audio_seconds: float) -> None:
        """Notes what the client has left of each limit, by what other processes have counted too."""
        if self._requests:
            self._requests.learn(client, requests)
        if self._audio:
            self._audio.learn(client, audio_seconds)

    def refusal(self, client: str, bucket: RateBucket) -> HttpError:
        """429 for a client that must wait for that bucket."""
        requests, minutes = self.requests_capacity, self.audio_capacity / 60
        if bucket == "requests":
            return _too_many(f"{requests:.0f} requests in a minute", self._requests, client, "rate_limit_exceeded")
        return _too_many(f"{minutes:.0f} minutes of audio in an hour", self._audio, client, "audio_exhausted")

    def headers(self, client: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for unit, buckets in (("requests", self._requests), ("audio-seconds", self._audio)):
            if buckets:
                found[f"x-ratelimit-limit-{unit}"] = f"{buckets.capacity:.0f}"
                found[f"x-ratelimit-remaining-{unit}"] = str(max(0, math.floor(buckets.left(client))))
                reset = math.ceil(buckets.seconds_until(client, buckets.capacity))
                found[f"x-ratelimit-reset-{unit}"] = f"{reset}s"
        return found


def _too_many(limit: str, buckets: TokenBuckets | None, client: str, code: str) -> HttpError:
    wait = max(1, math.ceil(buckets.seconds_until(client, 1))) if buckets else 1
    return too_many_requests(f"The limit of {limit} is reached: try again in {wait} s.", code, wait)
