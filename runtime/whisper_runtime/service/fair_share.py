"""The places of all requests that are here, and the part of the queue that one client may hold while others ask."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from itertools import takewhile
from typing import Final

from whisper_runtime.errors import HttpError, retry_after, too_many_requests
from whisper_runtime.service.client_identity import MAX_CLIENTS
from whisper_runtime.service.place import QueuePlace

ASKING_SECONDS: Final = 30.0
"""A client that sent a request within this time takes part in sharing the queue."""


class FairShare:
    """The places, by client.

    While several clients ask, each may hold an equal part of the queue, so that a client which fills it is refused
    until the others have had theirs. A client of which nothing waits may always send one file.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._places: list[QueuePlace] = []
        self._asked: OrderedDict[str, float] = OrderedDict()
        """When each client last sent a request, oldest first."""

    def note_request(self, client: str) -> None:
        """Counts the client among those that share the queue, for ASKING_SECONDS."""
        self._asked[client] = self._clock()
        self._asked.move_to_end(client)
        while len(self._asked) > MAX_CLIENTS or next(iter(self._asked.values())) < self._clock() - ASKING_SECONDS:
            self._asked.popitem(last=False)

    def take(self, client: str, declared_bytes: int | None, *, is_deferred: bool = False) -> QueuePlace:
        """A place for a request whose body has so many bytes, None: a chunked one; until `leave`.

        `is_deferred`: it is for a job, and waits for no row.
        """
        place = QueuePlace(client, self._clock(), declared_bytes, is_waiting=not is_deferred, is_deferred=is_deferred)
        self._places.append(place)
        return place

    def leave(self, place: QueuePlace) -> None:
        """Ends a place that was taken."""
        place.is_waiting = False
        self._places.remove(place)

    def receive(self, place: QueuePlace, size: int, *, is_last: bool) -> None:
        """Notes that `size` more bytes of the place's body are here."""
        place.receive(size, self._clock(), is_last=is_last)

    def restart(self, place: QueuePlace) -> None:
        """Notes that the place's recording is still to come, from another server."""
        place.restart(self._clock())

    def accept(self, place: QueuePlace) -> None:
        """Notes that the model has the place's recording from now on."""
        place.accepted = self._clock()

    def refusal(
        self, client: str, seconds: float, speed: float, limit: float, but: QueuePlace | None = None
    ) -> HttpError | None:
        """429 where the client may not add `seconds` of audio; None: it may.

        `speed` is in seconds of audio a second, `limit` the queue's in seconds of audio. `but`: a place that does not
        count, as the audio is in it.
        """
        now = self._clock()
        held = sum(one.waiting_seconds(now) for one in self._places if one.client == client and one is not but)
        clients = max(1, len(self._asked))
        share = limit / clients
        if held == 0 or held + max(seconds, 1.0) <= share:
            return None
        message = (
            f"{held:.0f} s of your audio wait; the limit is {share:.0f} s while {clients} clients share this server: "
            "try again later."
        )
        return too_many_requests(message, "client_share_full", retry_after(held + seconds - share, speed))

    def coming(self, but: QueuePlace | None = None) -> tuple[int, float]:
        """The requests that will wait for a row soon, and the seconds of audio of those that the model has not yet.

        `but`: a place that does not count, nor do those that were taken after it.
        """
        now = self._clock()
        before = takewhile(lambda one: one is not but, tuple(self._places))
        ahead = [one for one in before if one.accepted is None]
        return sum(one.is_coming(now) for one in ahead), sum(one.waiting_seconds(now) for one in ahead)

    @property
    def oldest_wait(self) -> float:
        """Seconds since the oldest recording that the model has was given to it; 0 where it has none."""
        now = self._clock()
        return max((now - one.accepted for one in tuple(self._places) if one.accepted is not None), default=0.0)
