"""A job as server-sent events: from its start, or from the last one that the client has, to its end (ADR 46)."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel

from whisper_runtime.http.event_stream import KEEP_ALIVE, KEEP_ALIVE_SECONDS
from whisper_runtime.http.job_body import JobErrorBody, spec_of
from whisper_runtime.http.job_content import model_then
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.http.sse import SseText
from whisper_runtime.service.jobs.following import FollowedJob
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.model_info import ModelInfo

END: Final = "end"
"""The id of the last event: who has it needs no other."""
POSITION: Final = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})")


class JobStateEvent(BaseModel):
    """The job is in that state; with `in_progress` its text begins anew, and with the others its events end."""

    type: Literal[
        "transcription.queued",
        "transcription.in_progress",
        "transcription.completed",
        "transcription.failed",
        "transcription.cancelled",
        "transcription.expired",
    ]
    id: str
    attempts: int
    error: JobErrorBody | None


class JobProgressEvent(BaseModel):
    type: Literal["transcription.progress"] = "transcription.progress"
    id: str
    done_seconds: float
    total_seconds: float


@dataclass(frozen=True)
class EventPosition:
    """What a client has of a job's text."""

    token: int
    """The claim of the job whose text it is."""
    segments: int


NOTHING: Final = EventPosition(0, 0)


def position_after(event_id: str) -> EventPosition:
    """What the client has whose last event had this id; nothing where it is none of ours."""
    match = POSITION.fullmatch(event_id)
    return EventPosition(int(match[1]), int(match[2])) if match else NOTHING


async def job_events(
    steps: AsyncGenerator[FollowedJob], model: ModelInfo, position: EventPosition
) -> AsyncIterator[bytes]:
    """The events of the job behind `position`, and comments while there are none."""
    events, sent = JobEvents(model, position), time.monotonic()
    async with aclosing(steps):
        async for step in steps:
            for event in events.of(step):
                sent = time.monotonic()
                yield event
            if time.monotonic() - sent > KEEP_ALIVE_SECONDS:
                sent = time.monotonic()
                yield KEEP_ALIVE


class JobEvents:
    """The events that each step of a job adds, each once; pure."""

    def __init__(self, model: ModelInfo, position: EventPosition) -> None:
        """`position`: what the client has."""
        self._model, self._position = model, position
        self._state = ""
        self._token, self._segments, self._done_seconds = 0, 0, 0.0
        """Of the text that is being sent: its claim, and how much of it has been."""
        self._text = SseText(ResponseSpec("transcribe"), model)

    def of(self, step: FollowedJob) -> list[bytes]:
        """The events that are new with this step."""
        job, events = step.job, list[bytes]()
        if job.state == "queued" and self._state != "queued":
            events.append(_event(_state_event(job)))
        self._state = job.state
        if job.state in ("in_progress", "completed"):
            events += [*self._begun(step), *self._deltas(step), *self._progress(step)]
        if not job.is_live:
            events.append(_event(_state_event(job), END))
        return events

    def _begun(self, step: FollowedJob) -> Generator[bytes]:
        job = step.job
        if job.token == self._token:
            return
        model = model_then(step.result, self._model) if step.result else self._model
        self._token, self._segments, self._done_seconds = job.token, 0, 0.0
        self._text = SseText(spec_of(job), model)
        if self._position.token != job.token:
            self._position = EventPosition(job.token, 0)
            yield _event(_state_event(job, "in_progress"), f"{job.token}.0")

    def _deltas(self, step: FollowedJob) -> Generator[bytes]:
        for segment in step.segments[self._segments :]:
            self._segments += 1
            delta = self._text.more([segment])
            if delta and self._segments > self._position.segments:
                yield _event(delta, f"{self._token}.{self._segments}")

    def _progress(self, step: FollowedJob) -> Generator[bytes]:
        job = step.job
        if step.result:
            yield from map(_event, self._text.ending(step.result.transcription))
        elif job.done_seconds != self._done_seconds:
            self._done_seconds = job.done_seconds
            progress = JobProgressEvent(id=job.id, done_seconds=job.done_seconds, total_seconds=job.audio_seconds)
            yield _event(progress)


def _state_event(job: Job, state: Literal["in_progress"] | None = None) -> JobStateEvent:
    """`state` None: the job's own."""
    error = None if job.error is None else JobErrorBody.model_validate(job.error)
    return JobStateEvent.model_validate(
        {"type": f"transcription.{state or job.state}", "id": job.id, "attempts": job.attempt, "error": error}
    )


def _event(body: BaseModel, event_id: str = "") -> bytes:
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}data: {body.model_dump_json(exclude_none=True)}\n\n".encode()
