"""The phase of the process between its start and its end; the server writes it, probes and admission read it."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Final

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

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.phase = Phase.SERVING
        self._clock = clock
        self._beaten = clock()

    def beat(self) -> None:
        """Notes that the main event loop runs; called every HEARTBEAT_SECONDS."""
        self._beaten = self._clock()

    @property
    def stale(self) -> bool:
        """Whether the main event loop has not run for STALE_SECONDS."""
        return self._clock() - self._beaten > STALE_SECONDS
