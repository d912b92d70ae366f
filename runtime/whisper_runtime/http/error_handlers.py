"""The framework's own errors (routes, methods, validation) in the body that all of ours have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from whisper_runtime.errors import HttpError, error_response, invalid_value
from whisper_runtime.http.openai.forms import MAX_FIELD_KIB, MAX_FIELDS
from whisper_runtime.http.openai.source import missing_file
from whisper_runtime.http.openai.speaker_fields import MOST_KNOWN, REFERENCE_KIB, REFERENCES
from whisper_runtime.http.openai.wrong_field import SHOWN, shown, wrong_field
from whisper_runtime.service.disk_quota import FULL, disk_full

FORMS: Final = ("multipart/form-data", "application/x-www-form-urlencoded")
JSON_PATHS: Final = frozenset({"/v1/batches"})
"""The routes whose body is JSON, and no form."""


def answer_in_openai_shape(app: FastAPI) -> None:
    """Gives each error of `app` OpenAI's body."""
    app.add_exception_handler(HttpError, _api_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)


async def _api_error(_: Request, error: Exception) -> JSONResponse:
    return error_response(cast(HttpError, error))


async def _http_exception(request: Request, error: Exception) -> JSONResponse:
    found = cast(HTTPException, error)
    if isinstance(cause := found.__cause__, OSError) and cause.errno in FULL:
        return error_response(disk_full())  # FastAPI takes whatever is raised while a form is read for the client's
    return error_response(_translated(request.method[:SHOWN], request.url.path[:SHOWN], found))


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    findings = cast(RequestValidationError, error).errors()
    takes_form = findings[0]["loc"][0] == "body" and request.url.path not in JSON_PATHS
    if takes_form and kind not in FORMS:
        return error_response(_no_form(kind))
    return error_response(_first_wrong_field(findings))


def _translated(method: str, path: str, error: HTTPException) -> HttpError:
    match error.status_code:
        case 404:
            message = f"Unknown request URL: {method} {path}. GET /openapi.json lists the paths."
            return HttpError(404, message, code="unknown_url")
        case 405:
            allowed = (error.headers or {}).get("Allow", "another method")
            message = f"{path} does not support {method}: use {allowed}."
            return HttpError(405, message, code="method_not_supported", headers=error.headers)
        case 400:
            return _unreadable_form(str(error.detail))
        case status:
            return HttpError(status, str(error.detail), headers=error.headers)


def _unreadable_form(detail: str) -> HttpError:
    """400 for a form that the parser refuses; it does not say which field is too long."""
    if detail.startswith("Too many files"):
        message = "The form has more than one file: send one, in the field `file`."
        return HttpError(400, message, param="file", code="too_many_files")
    if detail.startswith("Too many fields"):
        message = f"The form has more than {MAX_FIELDS} fields: send those that GET /openapi.json lists."
        return HttpError(400, message, code="too_many_fields")
    if detail.startswith("Too many references"):
        message = f"`{REFERENCES}[]` has more than {MOST_KNOWN} values: send {MOST_KNOWN} at most."
        return invalid_value(f"{REFERENCES}[]", message)
    if detail.startswith(f"Part exceeded maximum size of {REFERENCE_KIB}KB"):
        message = f"`{REFERENCES}[]` has a value that is longer than {REFERENCE_KIB} KiB: send fewer seconds."
        return invalid_value(f"{REFERENCES}[]", message)
    if detail.startswith("Part exceeded"):
        message = (
            f"A field of the form is longer than {MAX_FIELD_KIB} KiB: shorten it. Where it is the audio, its part of "
            "the form needs a `filename`, which makes it a file."
        )
        return HttpError(400, message, code="field_too_long")
    message = f"The form cannot be read ({detail.rstrip('.')}): send it as multipart/form-data."
    return HttpError(400, message, code="invalid_form")


def _no_form(kind: str) -> HttpError:
    """400 for a body that is not read, since it is of another kind than a form."""
    found = f"is of the type {shown(kind)}" if kind else "has no Content-Type"
    remedy = "send multipart/form-data, with the audio in a part named `file`"
    return HttpError(400, f"The request's body {found}, and a form is needed: {remedy}.", code="invalid_form")


def _first_wrong_field(errors: Any) -> HttpError:
    """400 for pydantic's first finding; its `loc` is (`body`, the field, the index in a list)."""
    first: Mapping[str, Any] = errors[0]
    if first["type"] == "json_invalid":
        return HttpError(400, "The body is not JSON: send an object, with the fields in it.", code="invalid_json")
    if first["loc"][1:2] == ("file",):
        return missing_file()
    return wrong_field(first, at=1)
