"""What is known of the wait for a server, and who is told at once that it would be in vain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from whisper_runtime.contract.front import WakeForecast
from whisper_runtime.errors import HttpError
from whisper_runtime.front.demand import DemandCounter
from whisper_runtime.front.servers import RequestWork
from whisper_runtime.front.turnstile import Turnstile
from whisper_runtime.front.wait import WaitAhead, refusal, seconds_until_room

LAPSES_SECONDS: Final = 10.0
"""After which a forecast counts for nothing: the operator renews it each second, and may be away."""
UNKNOWN: Final = WakeForecast()


class Outlook:
    """In the event loop's thread, but for `note`."""

    def __init__(
        self,
        turnstile: Turnstile,
        demand: DemandCounter,
        wait_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wait_seconds`: for which a request may wait. `clock`: the event loop's."""
        self._turnstile = turnstile
        self._demand = demand
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._noted = (UNKNOWN, clock())
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """What is noted from now on reaches requests that wait in this event loop."""
        self._loop = asyncio.get_running_loop()

    def note(self, forecast: WakeForecast) -> None:
        """Notes what the operator knows now, in the place of what it knew before; from any thread."""
        self._noted = (forecast, self._clock())
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._refuse_held)

    @property
    def forecast(self) -> WakeForecast:
        """What the operator knows, as of now."""
        forecast, noted = self._noted
        age = self._clock() - noted
        if age > LAPSES_SECONDS:
            return UNKNOWN
        if forecast.expected_seconds is None:
            return forecast
        return forecast.model_copy(update={"expected_seconds": max(0.0, forecast.expected_seconds - age)})

    @property
    def held_audio(self) -> float:
        """Seconds of audio that wait here."""
        return self._turnstile.held_audio

    @property
    def held_wait(self) -> float:
        """Seconds for which the audio that waits here keeps one server busy; 0: nobody knows how fast one is."""
        ready = self._turnstile.ready_servers
        speed = self._turnstile.speed / ready if ready else self.forecast.audio_speed
        return self._turnstile.held_audio / speed if speed else 0.0

    @property
    def server_speed(self) -> float:
        """Seconds of audio that one server transcribes in a second while none is there; 1 where nobody knows."""
        return self.forecast.audio_speed or 1.0

    def check(self, work: RequestWork) -> None:
        """Raises HttpError (429, 503) for a request that would wait in vain."""
        if error := self._refusal(work):
            if not self._turnstile.ready_servers:
                self._demand.refuse()
            raise error

    def seconds_until_room(self) -> int:
        """After how many seconds a disk that is full of uploads may have room."""
        wait = WaitAhead(self._turnstile.held_audio, self._turnstile.speed, self.forecast, left=0.0)
        return seconds_until_room(wait)

    def _refusal(self, work: RequestWork) -> HttpError | None:
        left = self._wait_seconds if work.ends is None else work.ends - self._clock()
        return refusal(WaitAhead(self._turnstile.audio_ahead(work), self._turnstile.speed, self.forecast, left))

    def _refuse_held(self) -> None:
        for held in self._turnstile.held_requests:
            if error := self._refusal(held.work):
                self._demand.refuse()
                self._turnstile.refuse(held, error)
