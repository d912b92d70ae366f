"""The bounds of the queue, counted in seconds of audio that waits; pure. A `speed` is in seconds of audio a second."""

from __future__ import annotations

import math
from typing import Final

from whisper_runtime.errors import HttpError, retry_after, too_many_requests, unavailable

WAITING_PART: Final = 0.5
"""The part of the request time-out that waiting for others may take; the rest is for the work itself."""
OVERRUN: Final = 1.25
"""The queue is over its limit by no more than this factor, where uploads turned out longer than was estimated at the
door: they have been paid for by then."""
WINDOW_SECONDS: Final = 30.0
"""Audio in one window."""
TOO_SLOW_RETRY_AFTER: Final = 60
"""Seconds; by then the work is done that makes the server slow now, or its idle time has shown a better speed."""


def queue_limit(max_queued: float, speed: float, request_timeout: float) -> float:
    """Seconds of audio that may wait: `max_queued`, and no more than the model transcribes in time."""
    return min(max_queued, speed * request_timeout * WAITING_PART)


def queue_refusal(queued: float, seconds: float, speed: float, limit: float, overrun: float = 1.0) -> HttpError | None:
    """429 where `seconds` of audio find no place behind the `queued` ones; None: they do.

    An empty queue takes any file, or long ones would never get in. `overrun` is the part of `limit` that they may fill.
    """
    most = limit * overrun
    if queued < most and (queued == 0 or queued + seconds <= most):
        return None
    message = f"{queued:.0f} s of audio wait; the limit is {limit:.0f} s: try again later."
    return too_many_requests(message, "queue_full", retry_after(queued + seconds - limit, speed))


def file_speed(row_speed: float, rows: int, wait: float) -> float:
    """The speed of a file's windows, which have `rows` rows, where each waits for `wait` seconds for its row.

    `row_speed` is that of one row; infinite while it is not known, as the result is then.
    """
    if math.isinf(row_speed):
        return math.inf
    return rows / (1 / row_speed + wait / WINDOW_SECONDS)


def longest_recording(speed: float, wait: float, request_timeout: float, max_audio: float) -> float:
    """Seconds of the longest recording that is taken now: `max_audio`, and no more than can be done in time.

    `speed` is the file's; infinite while it is not known. `wait`: seconds until it begins.
    """
    return max_audio if math.isinf(speed) else min(max_audio, speed * max(0.0, request_timeout - wait))


def too_long(max_audio: float) -> HttpError:
    """413 for a recording that is never taken."""
    message = f"The recording is longer than {max_audio:.0f} s, the longest that this server takes: send it in parts."
    return HttpError(413, message, param="file", code="audio_too_long")


def too_slow(longest: float, request_timeout: float, *, by_job: bool = False) -> HttpError:
    """503 for a recording that is taken when the server is faster: with less to do, or with more rows of its batch.

    `by_job`: it is taken as a job, too.
    """
    remedy = "send it with the header `Prefer: respond-async`" if by_job else "send it in shorter parts"
    message = (
        f"The recording is longer than {longest:.0f} s, the longest that can be transcribed within "
        f"{request_timeout:.0f} s at the present speed: try again later, or {remedy}."
    )
    return unavailable(message, "audio_too_long_now", TOO_SLOW_RETRY_AFTER)
