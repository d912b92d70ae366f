"""Whether a request would wait for longer than it may, as far as that is known; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from whisper_runtime.contract.front import WakeForecast
from whisper_runtime.errors import MAX_RETRY_AFTER, HttpError, retry_after, too_many_requests, unavailable
from whisper_runtime.front.retries import NO_SERVER_RETRY_AFTER
from whisper_runtime.service.queue_policy import WAITING_PART

CANNOT_COME_RETRY_AFTER: Final = 60
NO_SERVER_CAN_COME: Final = "no_server_can_come"
NO_SERVER_IN_TIME: Final = "no_server_in_time"


@dataclass(frozen=True)
class WaitAhead:
    """What one request has before it."""

    audio: float
    """Seconds of audio that are served before it; 0 where it takes no row of the batch."""
    speed: float
    """Seconds of audio that all ready servers together transcribe in a second; 0: none is ready."""
    forecast: WakeForecast
    """What the operator knows, at this moment; it counts where no server is ready."""
    left: float
    """Seconds for which the request may still wait."""


def refusal(wait: WaitAhead) -> HttpError | None:
    """429 or 503 for a request that would wait in vain; None: it would not, or nobody knows."""
    if wait.speed:
        return _too_much_audio(wait)
    if wait.forecast.cannot_come is not None:
        return unavailable(wait.forecast.cannot_come, NO_SERVER_CAN_COME, CANNOT_COME_RETRY_AFTER)
    if wait.forecast.expected_seconds is None:
        return None
    speed = wait.forecast.audio_speed
    seconds = wait.forecast.expected_seconds + (wait.audio / speed if speed else 0.0)
    return _not_in_time(seconds, wait.left) if seconds > wait.left else None


def seconds_until_room(wait: WaitAhead) -> int:
    """After how many seconds the disk has room again: when the audio that waits on it is done, as far as is known.

    `wait.audio`: all that waits here.
    """
    speed = wait.speed or wait.forecast.audio_speed
    working = wait.audio / speed if speed else NO_SERVER_RETRY_AFTER
    return _whole_seconds(working if wait.speed else working + (wait.forecast.expected_seconds or 0.0))


def _too_much_audio(wait: WaitAhead) -> HttpError | None:
    most = wait.left * wait.speed * WAITING_PART
    if wait.audio <= most:
        return None
    message = f"{wait.audio:.0f} s of audio wait before yours; the limit is {most:.0f} s: try again later."
    return too_many_requests(message, "queue_full", retry_after(wait.audio - most, wait.speed))


def _not_in_time(seconds: float, left: float) -> HttpError:
    again = _whole_seconds(seconds)
    message = (
        f"No server is ready, and none is expected to begin with this request within {seconds:.0f} s, for which it "
        f"cannot wait: it may wait for {left:.0f} s. Try again in {again} s."
    )
    return unavailable(message, NO_SERVER_IN_TIME, again)


def _whole_seconds(seconds: float) -> int:
    """From 1 to MAX_RETRY_AFTER."""
    return max(1, min(math.ceil(seconds), MAX_RETRY_AFTER))
