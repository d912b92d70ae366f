"""The jobs of a client: their status, their content, their end. `POST` with `Prefer: respond-async` makes them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.responses import StreamingResponse

from whisper_runtime.http.dependencies import ModelDep
from whisper_runtime.http.event_stream import EVENT_STREAM_TYPE, HEADERS
from whisper_runtime.http.hang_up import unless_gone
from whisper_runtime.http.job_body import DeletedJobBody, JobBody, JobListBody, spec_of
from whisper_runtime.http.job_events import END, job_events, position_after
from whisper_runtime.http.job_status import LONGEST_ID, STATUS_PATH, body_of, status_response
from whisper_runtime.http.job_submission import JOBS_PATH, job_content
from whisper_runtime.http.openai.forms import ResponseFormat
from whisper_runtime.http.openai.responses import (
    TranscriptionJson,
    TranscriptionVerbose,
    TranslationJson,
    TranslationVerbose,
)
from whisper_runtime.http.openapi import READING, TEXT, refusals
from whisper_runtime.http.prefer import LONGEST_WAIT
from whisper_runtime.http.request_state import state_of
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.following import check_followers, follow
from whisper_runtime.service.jobs.job import Job, JobGone, JobState, NoSuchJob, PlacedJob

router = APIRouter(prefix=JOBS_PATH)

MOST_LISTED: Final = 100
OF_A_JOB: Final = READING | refusals(404, 410)


EVENTS_OR_NONE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
    204: {"description": "The job's last event is the one with the id in `Last-Event-ID`"},
}


async def _open(request: Request) -> JobDoor:
    return request.app.state.jobs  # the routes are there only where there are jobs


DoorDep = Annotated[JobDoor, Depends(_open)]
Wait = Annotated[int, Query(ge=0, le=LONGEST_WAIT)]
"""Seconds until the response, unless the job ends before."""
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
LastEventId = Annotated[str, Header(max_length=LONGEST_ID)]
After = Annotated[str | None, Query(max_length=LONGEST_ID)]


@router.get("", response_model=JobListBody, responses=READING | refusals(400, 404))
async def list_jobs(
    request: Request, door: DoorDep, after: After = None, limit: Limit = 20, status: JobState | None = None
) -> JobListBody:
    """The client's jobs, newest first: those older than `after`."""
    page = await door.store.page(state_of(request.scope).client, after=after, limit=limit, state=status)
    bodies = [await body_of(door, await _placed(door, job)) for job in page.jobs]
    return JobListBody(
        data=bodies,
        first_id=bodies[0].id if bodies else None,
        last_id=bodies[-1].id if bodies else None,
        has_more=page.has_more,
    )


@router.get(STATUS_PATH, response_model=JobBody, responses=OF_A_JOB | refusals(400))
async def get_job(request: Request, door: DoorDep, job_id: str, wait: Wait = 0) -> Response:
    """The job, once it has ended or `wait` seconds are over."""
    looking = door.wait(state_of(request.scope).client, job_id[:LONGEST_ID], wait)
    placed = await (unless_gone(request.receive, looking) if wait else looking)
    return await status_response(door, placed)


@router.get(
    "/{job_id}/content",
    response_model=TranscriptionJson | TranscriptionVerbose | TranslationJson | TranslationVerbose,
    responses=OF_A_JOB | refusals(400, 409) | {200: {"content": TEXT}},
)
async def get_content(
    request: Request, door: DoorDep, model: ModelDep, job_id: str, response_format: ResponseFormat | None = None
) -> Response:
    """The result, as the response would have been without a job; `response_format`: in another format."""
    job = await door.store.get(state_of(request.scope).client, job_id[:LONGEST_ID])
    spec = spec_of(job)
    wanted = replace(spec, response_format=response_format or spec.response_format)
    return await job_content(request, door, model, job, wanted, {})


@router.get(
    "/{job_id}/events",
    response_class=StreamingResponse,
    responses=OF_A_JOB | refusals(400, 503) | EVENTS_OR_NONE,
)
async def get_events(
    request: Request, door: DoorDep, model: ModelDep, job_id: str, last_event_id: LastEventId = ""
) -> Response:
    """All that happens to the job, from its beginning or from behind the event with that id, until it ends."""
    job = await door.store.get(state_of(request.scope).client, job_id[:LONGEST_ID])
    if last_event_id == END:
        return Response(status_code=204)  # to a browser's EventSource: connect no more
    check_followers(door, job.client)
    events = job_events(follow(door, job), model, position_after(last_event_id))
    return StreamingResponse(events, headers=HEADERS, media_type=EVENT_STREAM_TYPE)


@router.post("/{job_id}/cancel", response_model=JobBody, responses=OF_A_JOB)
async def cancel_job(request: Request, door: DoorDep, job_id: str) -> JobBody:
    """Ends the job, unless it has ended; a running one stops within a window."""
    return await body_of(door, PlacedJob(await door.cancel(state_of(request.scope).client, job_id[:LONGEST_ID])))


@router.delete("/{job_id}", response_model=DeletedJobBody, responses=OF_A_JOB)
async def delete_job(request: Request, door: DoorDep, job_id: str) -> DeletedJobBody:
    """Deletes the recording, the result, and all else that the client sent."""
    await door.delete(state_of(request.scope).client, job_id[:LONGEST_ID])
    return DeletedJobBody(id=job_id)


async def _placed(door: JobDoor, job: Job) -> PlacedJob:
    """With its place; as it is, where it has none, or was deleted since."""
    if job.state == "queued":
        with suppress(NoSuchJob, JobGone):
            return await door.store.placed(job.client, job.id)
    return PlacedJob(job)
