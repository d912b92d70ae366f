"""The bounds of the queue, counted in seconds of audio; pure. A `speed` is in seconds of audio a second."""

from __future__ import annotations

from typing import Final

from whisper_runtime.errors import HttpError, retry_after, too_many_requests

WAITING_PART: Final = 0.5
"""The part of the request time-out that waiting for others may take; the rest is for the work itself."""
LEAST_DEADLINE: Final = 30.0
PATIENCE: Final = 4.0
"""A transcription may take this many times as long as was predicted, and LEAST_DEADLINE seconds more."""


def queue_limit(max_queued: float, speed: float, request_timeout: float) -> float:
    """Seconds of audio that may wait: `max_queued`, and no more than the model transcribes in time."""
    return min(max_queued, speed * request_timeout * WAITING_PART)


def queue_refusal(queued: float, seconds: float, speed: float, limit: float) -> HttpError | None:
    """429 where `seconds` of audio find no place behind the `queued` ones; None: they do.

    An empty queue takes any file, or long ones would never get in.
    """
    if queued < limit and (queued == 0 or queued + seconds <= limit):
        return None
    message = f"The queue holds {queued:.0f} s of audio; the limit is {limit:.0f} s: try again later."
    return too_many_requests(message, "queue_full", retry_after(queued + seconds - limit, speed))


def longest_recording(long_speed: float, request_timeout: float, max_audio: float) -> float:
    """Seconds of the longest recording that is taken now: `max_audio`, and no more than can be done in time.

    `long_speed` is the speed of long files; infinite while it is not known.
    """
    return min(max_audio, long_speed * request_timeout)


def too_long(longest: float, max_audio: float, request_timeout: float) -> HttpError:
    """413; a retry may help only where the bound follows from the speed, and then no client should count on it."""
    why = (
        "the longest that this server takes"
        if longest >= max_audio
        else f"the longest that can be transcribed within {request_timeout:.0f} s at the present speed"
    )
    message = f"The recording is longer than {longest:.0f} s, {why}: send it in shorter parts."
    return HttpError(413, message, param="file", code="audio_too_long")


def deadline(seconds: float, queued: float, speed: float, request_timeout: float) -> float:
    """Seconds that the transcription of `seconds` of audio may take, behind `queued` seconds of others' audio."""
    return min(request_timeout, LEAST_DEADLINE + PATIENCE * (queued + seconds) / speed)
