"""The part of the queue that one client may hold while others want a place in it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from whisper_runtime.errors import HttpError, retry_after, too_many_requests
from whisper_runtime.service.client_identity import MAX_CLIENTS

ASKING_SECONDS: Final = 30.0
"""A client that sent a request within this time takes part in sharing the queue."""


@dataclass(frozen=True)
class Ticket:
    """One recording in the queue, or under transcription."""

    client: str
    seconds: float
    """Seconds of audio."""
    since: float
    """When it was accepted, by the clock of FairShare."""


class FairShare:
    """The recordings that are here, by client.

    While several clients ask, each may hold an equal part of the queue, so that a client which fills it is refused
    until the others have had theirs. A client that holds nothing may always send one file.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tickets: list[Ticket] = []
        self._asked: OrderedDict[str, float] = OrderedDict()
        """When each client last sent a request, oldest first."""

    def note_request(self, client: str) -> None:
        """Counts the client among those that share the queue, for ASKING_SECONDS."""
        self._asked[client] = self._clock()
        self._asked.move_to_end(client)
        while len(self._asked) > MAX_CLIENTS or next(iter(self._asked.values())) < self._clock() - ASKING_SECONDS:
            self._asked.popitem(last=False)

    def refusal(self, client: str, seconds: float, speed: float, limit: float) -> HttpError | None:
        """429 where the client may not add `seconds` of audio, 0 where its length is not known yet; None: it may.

        `speed` is in seconds of audio a second, `limit` the queue's in seconds of audio.
        """
        held = sum(ticket.seconds for ticket in self._tickets if ticket.client == client)
        clients = max(1, len(self._asked))
        share = limit / clients
        if held == 0 or held + max(seconds, 1.0) <= share:
            return None
        message = (
            f"The queue holds {held:.0f} s of your audio; the limit is {share:.0f} s while {clients} clients share "
            "this server: try again later."
        )
        return too_many_requests(message, "client_share_full", retry_after(held + seconds - share, speed))

    @contextmanager
    def hold(self, client: str, seconds: float) -> Generator[None, None, None]:
        """Counts `seconds` of the client's audio as here during the block."""
        ticket = Ticket(client, seconds, self._clock())
        self._tickets.append(ticket)
        try:
            yield
        finally:
            self._tickets.remove(ticket)

    @property
    def oldest_wait(self) -> float:
        """Seconds since the oldest request that is still here was accepted; 0 where there is none."""
        return max((self._clock() - ticket.since for ticket in tuple(self._tickets)), default=0.0)
