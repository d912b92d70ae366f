"""Who may come in: the queue is counted in seconds of audio, and refuses at the door when it is full."""

from __future__ import annotations

import math
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from whisper_runtime.engine.protocol import Engine, State
from whisper_runtime.errors import ApiError
from whisper_runtime.lifecycle import Lifecycle, Phase
from whisper_runtime.refusal import refuse

MAX_RETRY_AFTER: Final = 120
"""Seconds; OpenAI's client does not try again at all where it is told to wait longer."""

LOADING_RETRY_AFTER: Final = 5


def refusal_at_the_door(state: State, phase: Phase, queued: float, speed: float, limit: float) -> ApiError | None:
    """Why nothing can be taken now, before the audio is there; None: come in. Times are seconds of audio."""
    if phase is Phase.REFUSING:
        return _unavailable("The server is shutting down: another replica will answer.", "shutting_down", 1)
    if state is not State.READY:
        return _unavailable("The model is not loaded yet.", "model_not_ready", LOADING_RETRY_AFTER)
    return queue_full(queued, 0.0, speed, limit)


def queue_full(queued: float, seconds: float, speed: float, limit: float) -> ApiError | None:
    """Why audio of this length has no place; an empty queue takes any file, or long ones would never get in."""
    if queued < limit and (queued == 0 or queued + seconds <= limit):
        return None
    message = f"{queued:.0f} s of audio are waiting, and at most {limit:.0f} s may: try again later."
    headers = {"Retry-After": str(retry_after(queued + seconds - limit, speed))}
    return ApiError(429, message, code="queue_full", kind="rate_limit_error", headers=headers)


def retry_after(excess: float, speed: float) -> int:
    """Seconds until the model has worked off `excess` seconds of audio."""
    return max(1, min(math.ceil(excess / speed), MAX_RETRY_AFTER))


def _unavailable(message: str, code: str, seconds: int) -> ApiError:
    return ApiError(503, message, code=code, headers={"Retry-After": str(seconds)})


class Door:
    """Refuses work that cannot be taken, before its body is read. Whatever only reads (GET) may always come in."""

    def __init__(self, app: ASGIApp, engine: Engine, lifecycle: Lifecycle, max_queued_seconds: float) -> None:
        self.app = app
        self.engine = engine
        self.lifecycle = lifecycle
        self.max_queued_seconds = max_queued_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        engine = self.engine
        error = refusal_at_the_door(
            engine.state,
            self.lifecycle.phase,
            engine.queued_audio_seconds,
            engine.speed,
            self.max_queued_seconds,
        )
        if error is not None:
            return await refuse(error, scope, receive, send)
        await self.app(scope, receive, send)
