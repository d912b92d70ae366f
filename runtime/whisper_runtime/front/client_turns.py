"""Whose request is next: clients are served the same audio, however many recordings each of them has; pure.

Start-time fair queueing (Goyal, Vin and Cheng, 1996): a request's turn is where its client's last one ended, or where
the line is now if that is later, so that nobody saves up turns by asking for nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from whisper_runtime.service.client_identity import MAX_CLIENTS

LEAST_SECONDS: Final = 1.0
"""That a recording counts for at least: a short one costs a window, too."""


class ClientTurns:
    """Turns are in seconds of audio."""

    def __init__(self) -> None:
        self._line = 0.0
        self._ends: OrderedDict[str, float] = OrderedDict()
        """Where the last turn of each client ended, those that were served longest ago first."""

    def due(self, client: str) -> float:
        """The turn of the client's next request; the least one is next."""
        return max(self._line, self._ends.get(client, 0.0))

    def serve(self, client: str, seconds: float) -> None:
        """Notes that the client's next request, of so many seconds of audio, is served now."""
        self._line = self.due(client)
        self._ends[client] = self._line + max(seconds, LEAST_SECONDS)
        self._ends.move_to_end(client)
        if len(self._ends) > MAX_CLIENTS:
            self._ends.popitem(last=False)
