"""What this front has for servers to do, by which the operator decides whether there is to be one."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from whisper_runtime.contract.front import DemandReport

REFUSED_SECONDS: Final = 10.0
"""For which a refused request counts as demand: until the operator has asked, and its client has not come again."""
MOST_REFUSED: Final = 1000
"""Refusals that are counted; it matters whether there is any."""


class DemandCounter:
    """Counts, in the event loop's thread, the requests that are here; the probes' thread reads them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ended = clock()
        self.held_requests = 0
        self.held_bytes = 0
        self.active_requests = 0
        self._refused = deque[float](maxlen=MOST_REFUSED)
        """When the last ones were refused."""

    @contextmanager
    def request(self) -> Generator[CountedRequest]:
        """A request that is here until the block ends. It is no demand until it is held, and then until its end."""
        counted = CountedRequest(self)
        try:
            yield counted
        finally:
            if counted.is_held:
                self.held_requests -= 1
                self.held_bytes -= counted.size
                self._ended = self._clock()

    def refuse(self) -> None:
        """Notes that a request was refused since no server is there: it, too, is a reason to start one."""
        self._ended = self._clock()
        self._refused.append(self._ended)

    def report(self, held_audio: float = 0.0, held_wait: float = 0.0) -> DemandReport:
        """All that is here. `held_audio`: seconds of audio that wait; `held_wait`: that one server takes for them."""
        held, active = self.held_requests, self.active_requests
        now = self._clock()
        return DemandReport(
            held_requests=held,
            held_bytes=self.held_bytes,
            active_requests=active,
            refused_requests=sum(now - at < REFUSED_SECONDS for at in tuple(self._refused)),
            held_audio_seconds=held_audio,
            held_wait_seconds=held_wait,
            idle_seconds=0.0 if held or active else now - self._ended,
        )


class CountedRequest:
    def __init__(self, demand: DemandCounter) -> None:
        self._demand = demand
        self.is_held = False
        """Whether it is known to be work for a server."""
        self.size = 0
        """Bytes of its body that are here."""

    def hold(self) -> None:
        """Notes that a server is to have it; once more does nothing."""
        if not self.is_held:
            self.is_held = True
            self._demand.held_requests += 1
            self._demand.held_bytes += self.size

    def receive(self, size: int) -> None:
        """Notes `size` more bytes of the body."""
        self.size += size
        if self.is_held:
            self._demand.held_bytes += size

    @contextmanager
    def at_a_server(self) -> Generator[None]:
        """For the block, a server has the request, which is held."""
        demand = self._demand
        demand.held_requests -= 1
        demand.held_bytes -= self.size
        demand.active_requests += 1
        try:
            yield
        finally:
            demand.active_requests -= 1
            demand.held_bytes += self.size
            demand.held_requests += 1
