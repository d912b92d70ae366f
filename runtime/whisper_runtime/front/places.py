"""The requests that one front has at a time: each costs memory, and a connection, however little comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from whisper_runtime.errors import HttpError, too_many_requests, unavailable

MOST_REQUESTS: Final = 1024
FULL_RETRY_AFTER: Final = 5


class Places:
    """No client has more places than it leaves to others, so that one with many slow uploads keeps nobody out."""

    def __init__(self, limit: int = MOST_REQUESTS) -> None:
        self._limit = limit
        self._by_client = Counter[str]()
        self._taken = 0

    @contextmanager
    def take(self, client: str) -> Generator[None]:
        """A place until the block ends. Raises HttpError: 503 where none is free, 429 where the client has its part."""
        if error := self._refusal(client):
            raise error
        self._taken += 1
        self._by_client[client] += 1
        try:
            yield
        finally:
            self._taken -= 1
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]

    def _refusal(self, client: str) -> HttpError | None:
        free, own = self._limit - self._taken, self._by_client[client]
        if free == 0:
            message = f"The service has {self._limit} requests, and takes no more: try again in {FULL_RETRY_AFTER} s."
            return unavailable(message, "front_full", FULL_RETRY_AFTER)
        if own >= free:
            message = f"{own} of your requests are here, and {free} places are left for others: await some of them."
            return too_many_requests(message, "client_share_full", FULL_RETRY_AFTER)
        return None
