"""A job's status, which clients ask for again and again (ADR 90)."""

from __future__ import annotations

from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from whisper_runtime.errors import error_response
from whisper_runtime.http.job_body import JobBody, as_http_error, job_body
from whisper_runtime.http.job_submission import JOBS_PATH
from whisper_runtime.http.middleware.base import HttpMiddleware
from whisper_runtime.http.request_state import state_of
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.job import JobGone, JobStoreAway, JobStoreFull, NoSuchJob, PlacedJob

LONGEST_ID: Final = 64
STATUS_PATH: Final = "/{job_id}"
"""Of the route, below JOBS_PATH."""


class StatusRoute:
    """Is found in the scope of such a request where the route of FastAPI would be."""

    path_format = JOBS_PATH + STATUS_PATH


STATUS_ROUTE: Final = StatusRoute()


class JobStatusMiddleware(HttpMiddleware):
    """Answers who asks for a job without a parameter, as the route does, to which FastAPI takes longer than it does."""

    def __init__(self, app: ASGIApp, door: JobDoor) -> None:
        super().__init__(app)
        self._door = door

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (job_id := polled_job(scope)) is None:
            return await self.app(scope, receive, send)
        scope["route"] = STATUS_ROUTE
        try:
            placed = await self._door.store.placed(state_of(scope).client, job_id)
            response = await status_response(self._door, placed)
        except (NoSuchJob, JobGone, JobStoreAway, JobStoreFull) as error:
            response = error_response(as_http_error(error))
        await response(scope, receive, send)


def polled_job(scope: Scope) -> str | None:
    """The id of the job whose status is asked for, and nothing else; None: it is another request."""
    if scope["method"] != "GET" or scope["query_string"] or not scope["path"].startswith(f"{JOBS_PATH}/"):
        return None
    job_id = scope["path"].removeprefix(f"{JOBS_PATH}/")
    return job_id[:LONGEST_ID] if job_id and "/" not in job_id else None


async def body_of(door: JobDoor, placed: PlacedJob) -> JobBody:
    return job_body(placed.job, door.progress(placed), await door.delivery(placed.job))


async def status_response(door: JobDoor, placed: PlacedJob) -> Response:
    """As it is: FastAPI would look again at what we have made ourselves."""
    return Response((await body_of(door, placed)).model_dump_json(), media_type=JSONResponse.media_type)
