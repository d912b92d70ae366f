"""The OpenAPI document with corrections: what FastAPI cannot know of middleware, and what it only assumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from whisper_runtime.http.openai.forms import TranscriptionForm, TranslationForm
from whisper_runtime.http.openai.responses import (
    ErrorBody,
    PlainDone,
    SegmentsDelta,
    SpeakerSegment,
    TextDelta,
    TextDone,
)
from whisper_runtime.http.prefer import JOB_PATHS

ResponsesByStatus = dict[int | str, dict[str, Any]]
"""The responses of an operation, as FastAPI's `responses` takes them."""

SECURITY_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}

REFUSALS: Final = {
    400: "A field is wrong, or the file is not audio",
    401: "The API key is missing or unknown",
    404: "The model does not exist here",
    408: "The body came too slowly",
    413: "The body is too large, or the recording too long",
    409: "The job has no result, or not yet; or another request with the idempotency key is being received",
    410: "The job was deleted, or its result was",
    422: "The idempotency key belongs to another request",
    507: "The store of jobs is full",
    429: "The queue or the client's quota is full: retry after `Retry-After` seconds",
    500: "A bug: the log has the cause under the id in `x-request-id`",
    502: "The server that `url` names failed",
    503: "The server starts, stops, or has no room: retry after `Retry-After` seconds",
    504: "The transcription was not done in the time allowed",
}


JOB_REQUEST_HEADERS: Final = ("Prefer", "Idempotency-Key")
TEXT: Final[dict[str, Any]] = {"text/plain": {"schema": {"type": "string"}}}
"""`text`, `srt` and `vtt`."""
TEXT_EVENTS: Final = (TextDelta, SpeakerSegment, TextDone, ErrorBody)
SEGMENT_EVENTS: Final = (SegmentsDelta, PlainDone, ErrorBody)


def event_stream(*events: type[BaseModel]) -> dict[str, Any]:
    """Content that is a stream of server-sent events with such data, as OpenAPI 3.2 describes one (4.14.4) and FastAPI
    does already."""
    any_of = [{"$ref": f"#/components/schemas/{event.__name__}"} for event in events]
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": {"anyOf": any_of}}
    return {"text/event-stream": {"itemSchema": {"type": "object", "required": ["data"], "properties": {"data": data}}}}


def refusals(*statuses: int) -> ResponsesByStatus:
    """The error responses with these statuses; all have one body."""
    return {status: {"model": ErrorBody, "description": REFUSALS[status]} for status in statuses}


NO_SUCH_MODEL: Final = refusals(404)
READING: Final = refusals(401, 429, 500)
UPLOADING: Final = refusals(400, 401, 408, 413, 429, 500, 502, 503, 504)


def document(app: FastAPI, *, models: Sequence[str], authenticated: bool, takes_jobs: bool = False) -> None:
    """Makes `app` serve the corrected document at GET /openapi.json.

    `models` are the names under which its one model is served; `authenticated`: requests need an API key; `takes_jobs`:
    an upload may become a job.
    """

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            app.openapi_schema = _corrected(found, models, authenticated)
            if takes_jobs:
                for path in JOB_PATHS:
                    _add_job(found["paths"][path]["post"])
        return app.openapi_schema

    app.openapi = openapi


def _add_job(operation: dict[str, Any]) -> None:
    """Describes how an upload becomes a job, and what is answered then."""
    operation["parameters"] = [
        *operation.get("parameters", []),
        *(
            {"in": "header", "name": name, "required": False, "schema": {"type": "string"}}
            for name in JOB_REQUEST_HEADERS
        ),
    ]
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/JobBody"}}}
    operation["responses"]["202"] = {"description": "It has become a job, which `Location` names", "content": body}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    for status in (409, 422, 507):
        operation["responses"][str(status)] = {"description": REFUSALS[status], "content": error}


def _corrected(found: dict[str, Any], models: Sequence[str], authenticated: bool) -> dict[str, Any]:
    """Without FastAPI's own validation errors, which are 400 here; with the API keys that a middleware asks for."""
    schemas = found["components"]["schemas"]
    for path in found["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas |= models_json_schema(
        [(event, "serialization") for event in dict.fromkeys((*TEXT_EVENTS, *SEGMENT_EVENTS))],
        ref_template="#/components/schemas/{model}",
    )[1]["$defs"]
    for form in (TranscriptionForm, TranslationForm):
        schemas[form.__name__]["properties"]["model"] |= {"enum": list(models)}
    if authenticated:
        found["components"]["securitySchemes"] = SECURITY_SCHEMES
        found["security"] = [{name: []} for name in SECURITY_SCHEMES]
    return found
