"""Every refusal in OpenAI's error body, so that its official client raises the right exception with our sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

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
    return ApiError(500, message, code="internal_error", headers=NO_RETRY)


def error_response(error: ApiError) -> JSONResponse:
    return JSONResponse({"error": error.body}, status_code=error.status_code, headers=error.headers)


def answer_in_openai_shape(app: FastAPI) -> None:
    """Gives the framework's own refusals (routes, methods, validation) the same body as ours."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)


async def _api_error(_: Request, error: Exception) -> JSONResponse:
    return error_response(cast(ApiError, error))


async def _http_exception(request: Request, error: Exception) -> JSONResponse:
    found = cast(HTTPException, error)
    return error_response(_translated(request.method, request.url.path, found))


def _translated(method: str, path: str, error: HTTPException) -> ApiError:
    match error.status_code:
        case 404:
            message = f"Unknown request URL: {method} {path}. GET /openapi.json lists what is served."
            return ApiError(404, message, code="unknown_url")
        case 405:
            allowed = (error.headers or {}).get("Allow", "another method")
            message = f"{path} does not take {method}: use {allowed}."
            return ApiError(405, message, code="method_not_supported", headers=error.headers)
        case status:
            return ApiError(status, str(error.detail), headers=error.headers)


async def _validation_error(_: Request, error: Exception) -> JSONResponse:
    return error_response(_first_invalid_field(cast(RequestValidationError, error).errors()))


def _first_invalid_field(errors: Any) -> ApiError:
    first: Mapping[str, Any] = errors[0]
    field = str(first["loc"][-1])
    if field == "file":
        message = "`file` is missing: send the audio as multipart/form-data, in a file field named `file`."
        return ApiError(400, message, param=field, code="missing_file")
    if first["type"] == "missing":
        return ApiError(400, f"`{field}` is missing.", param=field, code="missing_required_parameter")
    return ApiError(400, f"`{field}` is invalid: {first['msg']}.", param=field, code="invalid_value")
