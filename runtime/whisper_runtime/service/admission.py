"""Who may come in: the queue is counted in seconds of audio, and refuses at the door when it is full."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from whisper_runtime.engine.interface import Engine, State
from whisper_runtime.errors import ApiError
from whisper_runtime.http.early_response import refuse, try_later
from whisper_runtime.service.client_identity import client_of
from whisper_runtime.service.fair_share import Places
from whisper_runtime.service.lifecycle import Lifecycle, Phase

LOADING_RETRY_AFTER: Final = 5
WAITING_PART: Final = 0.5
"""The part of the request time-out that waiting for others may take; the rest is for the work itself."""
LEAST_DEADLINE: Final = 30.0
PATIENCE: Final = 4.0
"""A transcription may take this many times as long as was predicted, and LEAST_DEADLINE seconds more."""


def refusal_at_the_door(state: State, phase: Phase, queued: float, speed: float, limit: float) -> ApiError | None:
    """Why nothing can be taken now, before the audio is there; None: come in. Times are seconds of audio."""
    if phase is Phase.REFUSING:
        return _unavailable("The server is shutting down: another replica will answer.", "shutting_down", 1)
    if state is not State.READY:
        return _unavailable("The model is not loaded yet.", "model_not_ready", LOADING_RETRY_AFTER)
    return queue_full(queued, 0.0, speed, limit)


def queue_limit(max_queued: float, speed: float, request_timeout: float) -> float:
    """Seconds of audio that may wait: what is configured, and no more than the model works off in time."""
    return min(max_queued, speed * request_timeout * WAITING_PART)


def queue_full(queued: float, seconds: float, speed: float, limit: float) -> ApiError | None:
    """Why audio of this length has no place; an empty queue takes any file, or long ones would never get in."""
    if queued < limit and (queued == 0 or queued + seconds <= limit):
        return None
    message = f"{queued:.0f} s of audio are waiting, and at most {limit:.0f} s may: try again later."
    return try_later(message, "queue_full", queued + seconds - limit, speed)


def longest_now(long_speed: float, request_timeout: float, max_audio: float) -> float:
    """Seconds of the longest recording that is taken now: the configured bound, and what can be done in time."""
    return min(max_audio, long_speed * request_timeout)


def too_long(longest: float, max_audio: float, request_timeout: float) -> ApiError:
    """413; a retry may help only where the bound follows from the speed, and then no client should count on it."""
    why = (
        "the longest that this server takes"
        if longest >= max_audio
        else f"the longest that can be transcribed within {request_timeout:.0f} s at the present speed"
    )
    message = f"The recording is longer than {longest:.0f} s, {why}: send it in shorter parts."
    return ApiError(413, message, param="file", code="audio_too_long")


def deadline(seconds: float, queued: float, speed: float, request_timeout: float) -> float:
    """Seconds that a transcription of `seconds` of audio may take, behind `queued` seconds of others'."""
    return min(request_timeout, LEAST_DEADLINE + PATIENCE * (queued + seconds) / speed)


def _unavailable(message: str, code: str, seconds: int) -> ApiError:
    return ApiError(503, message, code=code, headers={"Retry-After": str(seconds)})


class Saturation:
    """Whether the queue is so full that a Service should send clients elsewhere; it must then empty by half."""

    FULL: Final = 0.9
    EASED: Final = 0.5

    def __init__(self) -> None:
        self.full = False

    def observe(self, queued: float, limit: float) -> None:
        self.full = queued >= limit * (self.EASED if self.full else self.FULL)


class Door:
    """Refuses work that cannot be taken, before its body is read. Whatever only reads (GET) may always come in."""

    def __init__(
        self,
        app: ASGIApp,
        engine: Engine,
        lifecycle: Lifecycle,
        places: Places,
        max_queued_seconds: float,
        request_timeout: float,
    ) -> None:
        self.app = app
        self.engine = engine
        self.lifecycle = lifecycle
        self.places = places
        self.max_queued_seconds = max_queued_seconds
        self.request_timeout = request_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        engine, client = self.engine, client_of(scope)
        limit = queue_limit(self.max_queued_seconds, engine.speed, self.request_timeout)
        self.places.asks(client)
        error = refusal_at_the_door(
            engine.state, self.lifecycle.phase, engine.queued_audio_seconds, engine.speed, limit
        ) or self.places.share_full(client, 0.0, engine.speed, limit)
        if error is not None:
            return await refuse(error, scope, receive, send)
        await self.app(scope, receive, send)
