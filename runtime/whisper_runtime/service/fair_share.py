"""Whose audio is here, and since when; what one client may hold of the queue while others ask for a place."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from whisper_runtime.errors import ApiError
from whisper_runtime.http.early_response import try_later

ASKING_SECONDS: Final = 30.0
"""A client that asked within this time takes part in sharing the queue."""
MAX_CLIENTS: Final = 10_000


@dataclass(frozen=True)
class Place:
    client: str
    seconds: float
    """Of audio."""
    since: float


class Places:
    """The places in the queue.

    While several clients ask, each may hold an equal part of the queue, so that one which fills it is refused until
    the others have had theirs. A client of whom nothing is here may always send one file.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taken: list[Place] = []
        self._asked: OrderedDict[str, float] = OrderedDict()

    def asks(self, client: str) -> None:
        """Notes that the client wants a place."""
        self._asked[client] = self._clock()
        self._asked.move_to_end(client)
        while len(self._asked) > MAX_CLIENTS or next(iter(self._asked.values())) < self._clock() - ASKING_SECONDS:
            self._asked.popitem(last=False)

    def share_full(self, client: str, seconds: float, speed: float, limit: float) -> ApiError | None:
        """Why this client may not add `seconds` of audio; None: it may."""
        held = sum(place.seconds for place in self._taken if place.client == client)
        clients = max(1, len(self._asked))
        share = limit / clients
        if held == 0 or held + max(seconds, 1.0) <= share:
            return None
        message = (
            f"{held:.0f} s of your audio are waiting, and at most {share:.0f} s may while {clients} clients share "
            "this server: try again later."
        )
        return try_later(message, "client_share_full", held + seconds - share, speed)

    @contextmanager
    def taken(self, client: str, seconds: float) -> Generator[None, None, None]:
        """The client's audio is here until the end of the block."""
        place = Place(client, seconds, self._clock())
        self._taken.append(place)
        try:
            yield
        finally:
            self._taken.remove(place)

    @property
    def oldest_wait(self) -> float:
        """Seconds since the oldest request that is still here came; 0 where there is none."""
        return max((self._clock() - place.since for place in tuple(self._taken)), default=0.0)
