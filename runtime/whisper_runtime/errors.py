"""Every refusal in OpenAI's error body, so that its official client raises the right exception with our sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

WORTH_A_RETRY: Final = frozenset({408, 429, 503})
"""Statuses after which the same request may succeed."""
NO_RETRY: Final = {"x-should-retry": "false"}
"""OpenAI's client repeats 408, 409, 429 and 5xx twice by default; this stops it where the same would happen again."""


class ApiError(HTTPException):
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
        super().__init__(status, message, headers)
        self.body = {
            "message": message,
            "type": kind or ("invalid_request_error" if status < 500 else "server_error"),
            "param": param,
            "code": code,
        }


class ClientGone(ApiError):
    """The client hung up: nobody reads this answer, but the log and the metrics show its status."""

    def __init__(self) -> None:
        super().__init__(499, "The client closed the connection before the answer.", code="client_closed_request")


def internal_error() -> ApiError:
    """The answer to a bug; what happened stands in the log under the request's id, never in the answer."""
    message = "The server failed on this request. Its log says why, under the id in the header x-request-id."
    return ApiError(500, message, code="internal_error")


def error_response(error: ApiError) -> JSONResponse:
    """The answer of OpenAI's shape; it tells clients not to try again where that cannot help."""
    retry = {} if error.status_code in WORTH_A_RETRY else NO_RETRY
    return JSONResponse(
        {"error": error.body}, status_code=error.status_code, headers={**retry, **(error.headers or {})}
    )
