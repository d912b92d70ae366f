"""Errors for clients, in OpenAI's error body: its official client raises the right exception with our message."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, Self

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

WORTH_A_RETRY: Final = frozenset({408, 429, 503})
"""Statuses after which the same request may succeed."""
REJECTED: Final = frozenset({401, 408, 413, 429, 503})
"""Statuses of requests that were turned away; the rest from 400 on are errors."""
NO_RETRY: Final = {"x-should-retry": "false"}
"""OpenAI's client repeats 408, 409, 429 and 5xx twice by default; this stops it where the same would happen again."""
MAX_RETRY_AFTER: Final = 120
"""Seconds; OpenAI's client does not retry at all after a longer `Retry-After`."""


class HttpError(HTTPException):
    """An error for the client: an HTTP status and OpenAI's four fields.

    It is an HTTPException because FastAPI turns any other exception that is raised while a form is read into 400.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`code` and `param` are OpenAI's; `kind` is its `type`, None: the one that belongs to the status."""
        super().__init__(status, message, headers)
        self.body = {
            "message": message,
            "type": kind or ("invalid_request_error" if status < 500 else "server_error"),
            "param": param,
            "code": code,
        }

    def renamed(self, param: str, name: str) -> Self:
        """The same error; where it names the field `param`, it names `name` instead."""
        if self.body["param"] == param:
            self.body["param"] = name
        return self

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """The same error; its response carries `headers` too."""
        self.headers = {**(self.headers or {}), **headers}
        return self


class ClientGone(HttpError):
    """The client hung up: it does not read this response, but the log and the metrics show its status, 499."""

    def __init__(self) -> None:
        super().__init__(499, "The client closed the connection before the answer.", code="client_closed_request")


def invalid_value(param: str, message: str) -> HttpError:
    """400 for a field whose value, or whose value beside another's, cannot be; `param` is the field's name."""
    return HttpError(400, message, param=param, code="invalid_value")


def too_many_requests(message: str, code: str, seconds: int) -> HttpError:
    """429 for a client that may retry after `seconds`."""
    headers = {"Retry-After": str(seconds)}
    return HttpError(429, message, code=code, kind="rate_limit_error", headers=headers)


def unavailable(message: str, code: str, seconds: int) -> HttpError:
    """503 for a client that may retry after `seconds`."""
    return HttpError(503, message, code=code, headers={"Retry-After": str(seconds)})


def stopped() -> HttpError:
    """503 for a request that a process which ends has not finished."""
    message = "The server stopped before this was transcribed: try again, and another replica will answer."
    return unavailable(message, "shutting_down", 1)


def out_of_time(seconds: float) -> HttpError:
    """504, as a proxy would say; 408 would blame the client's sending, and its library would send again."""
    message = f"The transcription was not done within {seconds:.0f} s: send a shorter recording, or try again later."
    return HttpError(504, message, code="request_timeout")


def retry_after(excess: float, speed: float) -> int:
    """Whole seconds until the model, at `speed` seconds of audio a second, has transcribed `excess` seconds of audio.

    From 1 to MAX_RETRY_AFTER.
    """
    return max(1, min(math.ceil(excess / speed), MAX_RETRY_AFTER))


def internal_error() -> HttpError:
    """The response to a bug; the log has the cause under the request's id, the response never does."""
    message = "The server failed on this request. Its log has the cause, under the id in the header x-request-id."
    return HttpError(500, message, code="internal_error")


def error_response(error: HttpError) -> JSONResponse:
    """The response of OpenAI's shape; it tells clients not to retry where that cannot help."""
    retry = {} if error.status_code in WORTH_A_RETRY else NO_RETRY
    return JSONResponse(
        {"error": error.body}, status_code=error.status_code, headers={**retry, **(error.headers or {})}
    )
