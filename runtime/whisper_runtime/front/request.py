"""A request as the front passes it on, and what may be done with it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from whisper_runtime.errors import HttpError
from whisper_runtime.front.headers import RawHeaders, request_headers
from whisper_runtime.http.middleware.absolute_form import ORIGIN
from whisper_runtime.http.middleware.admission import CANCELLATION, SAFE_METHODS
from whisper_runtime.http.prefer import JOB_PATHS, async_preference

TRANSCRIPTIONS: Final = "/v1/audio/transcriptions"
TRANSCRIBING: Final = JOB_PATHS | {"/transcribe"}
"""A POST there leaves nothing behind but its answer, unless it is to become a job."""
IDEMPOTENT_METHODS: Final = SAFE_METHODS | {"PUT", "DELETE"}
"""RFC 9110, section 9.2.2."""
SERVED: Final = ("/transcribe", "/openapi.json", "/v1/")
"""Where servers have routes: what asks for anything else wakes none."""
ROUTES: Final = (
    *sorted(TRANSCRIBING),
    *("/v1/models", "/v1/files", "/v1/batches", "/openapi.json"),
)
"""What spans are named by: servers know which of the routes below it is."""
SHOWN: Final = 100
"""Characters that an error repeats of what a client sent."""


@dataclass(frozen=True)
class PassedRoute:
    """Is found in the scope of a request where a server's own route would be."""

    path_format: str


@dataclass(frozen=True)
class PassedRequest:
    method: str
    target: bytes
    """Path and query as they came: servers know the prefixes that they may have."""
    headers: RawHeaders
    client: str
    """The name under which limits count the sender."""
    content_type: str
    is_repeatable: bool
    """Whether a second server may be given it where nobody knows what the first has done with it."""
    is_transcribed: bool
    """Whether its recording takes a row of the batch while its client waits."""
    becomes_job: bool
    may_stream: bool
    """Whether its form may ask for a stream of events."""


def passed_request(scope: Scope, client: str, own: dict[bytes, bytes]) -> PassedRequest:
    """The request of `scope`; `own` are headers of the front's. Raises HttpError (404) where no server has a route."""
    method, path = scope["method"], scope["path"]
    if not path.startswith(SERVED):
        message = f"Unknown request URL: {method[:SHOWN]} {path[:SHOWN]}. GET /openapi.json lists the paths."
        raise HttpError(404, message, code="unknown_url")
    passed = request_headers(scope["headers"], own)
    headers = Headers(raw=passed)  # what the server does is decided by those that it gets
    becomes_job = path in JOB_PATHS and async_preference(headers) is not None
    is_form = method == "POST" and path == TRANSCRIPTIONS and not becomes_job
    return PassedRequest(
        method,
        target_of(scope),
        passed,
        client,
        headers.get("content-type", ""),
        is_repeatable=is_repeatable(method, path, becomes_job=becomes_job, has_key="idempotency-key" in headers),
        is_transcribed=method == "POST" and path in TRANSCRIBING and not becomes_job,
        becomes_job=method == "POST" and becomes_job,
        may_stream=is_form,
    )


def is_repeatable(method: str, path: str, *, becomes_job: bool, has_key: bool) -> bool:
    """Whether to do it twice is to do it once; `has_key`: the client has named it, by `Idempotency-Key`."""
    if method in IDEMPOTENT_METHODS or path.endswith(CANCELLATION):
        return True
    return path in TRANSCRIBING and (has_key or not becomes_job)


def route_above(path: str) -> PassedRoute:
    """The route that a path is at or below; `none` where there is none."""
    return PassedRoute(next((route for route in ROUTES if f"{path}/".startswith(f"{route}/")), "none"))


def target_of(scope: Scope) -> bytes:
    """Path and query, without scheme and host where the client has sent the whole URL."""
    path = scope["raw_path"].decode("latin-1")
    origin = ORIGIN.match(path)
    found = (path[origin.end() :] or "/") if origin else path
    query = scope["query_string"]
    return found.encode("latin-1") + (b"?" + query if query else b"")
