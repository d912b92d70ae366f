"""A transcription while it runs, as server-sent events: OpenAI's, of text alone, or ours, of segments with times."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from typing import Protocol

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import StreamingResponse

from whisper_runtime.engine.transcription import Segment, Transcription
from whisper_runtime.errors import ClientGone, HttpError, internal_error
from whisper_runtime.http.event_stream import EVENT_STREAM_TYPE, HEADERS, KEEP_ALIVE, KEEP_ALIVE_SECONDS
from whisper_runtime.http.openai import formats
from whisper_runtime.http.openai.logprobs import token_logprobs
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.http.openai.responses import (
    ErrorBody,
    Logprob,
    PlainDone,
    Problem,
    SegmentsDelta,
    SpeakerSegment,
    TextDelta,
    TextDone,
)
from whisper_runtime.http.request_state import RequestState, state_of
from whisper_runtime.service.model_info import ModelInfo
from whisper_runtime.service.transcribe import SegmentStream

log = logging.getLogger(__name__)


class EventBodies(Protocol):
    """What the events of one stream have in them."""

    def more(self, segments: Sequence[Segment]) -> BaseModel | None:
        """The event of segments that became final; None: they have nothing to be sent yet."""
        ...

    def ending(self, found: Transcription) -> Sequence[BaseModel]:
        """The events that are there once all is known; with the last one the stream ends."""
        ...


async def stream(
    request: Request,
    transcribe: Callable[[SegmentStream], Coroutine[None, None, Transcription]],
    bodies: EventBodies,
    headers: Mapping[str, str],
) -> StreamingResponse:
    """The response to a request that streams what `transcribe` finds, as soon as that has its place in the queue.

    An error before that is raised, and becomes an ordinary response with its own status; a later one is an event with
    `error`, on which OpenAI's clients raise, and goes into the request's state for the log and the metrics.
    """
    state, segments = state_of(request.scope), SegmentStream()
    work = asyncio.create_task(transcribe(segments))
    work.add_done_callback(segments.end)
    accepted = asyncio.create_task(segments.accepted.wait())
    try:
        await asyncio.wait({work, accepted}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        work.cancel()
        raise
    finally:
        accepted.cancel()
    if not segments.accepted.is_set():
        work.result()
    state.stream_error = ClientGone()  # unless the last event is sent
    events = _events(state, work, segments, bodies)
    return StreamingResponse(events, headers={**HEADERS, **headers}, media_type=EVENT_STREAM_TYPE)


async def _events(
    state: RequestState, work: asyncio.Task[Transcription], segments: SegmentStream, bodies: EventBodies
) -> AsyncGenerator[bytes]:
    try:
        while (window := await _next(segments)) is not None:
            if not window:
                yield KEEP_ALIVE
            elif body := bodies.more(window):
                yield _event(body)
        error = _error(work)
        last = [ErrorBody(error=Problem.model_validate(error.body))] if error else bodies.ending(work.result())
        for body in last:
            yield _event(body)
        state.stream_error = error
    finally:
        work.cancel()  # the client may have gone: this frees the place in the queue


async def _next(segments: SegmentStream) -> Sequence[Segment] | None:
    """The next window's segments; empty after KEEP_ALIVE_SECONDS without any, None at the end."""
    try:
        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
            return await segments.next_window()
    except TimeoutError:
        return ()


class SseText:
    """The text so far, and what each window adds to it: all deltas together are the text of the last event."""

    def __init__(self, spec: ResponseSpec, model: ModelInfo) -> None:
        self._spec = spec
        self._model = model
        self._raw = ""

    def more(self, segments: Sequence[Segment]) -> TextDelta | None:
        """The text that `segments` add; None: nothing but space, which is held back until something follows."""
        before = self._raw.strip()
        self._raw += "".join(segment.text for segment in segments)
        delta = self._raw.strip()[len(before) :]
        return TextDelta(delta=delta, logprobs=self._logprobs(segments)) if delta else None

    def ending(self, found: Transcription) -> list[SpeakerSegment | TextDone]:
        """The segments with their speakers where those are wanted, then the text as a whole."""
        segments = formats.speaker_segments(found) if self._spec.response_format == "diarized_json" else []
        done = TextDone(
            text=found.text.strip(), logprobs=self._logprobs(found.segments), usage=formats.token_usage(found)
        )
        return [*segments, done]

    def _logprobs(self, segments: Sequence[Segment]) -> list[Logprob] | None:
        return token_logprobs(segments, english_only=self._model.english_only) if self._spec.logprobs else None


class SseSegments:
    """The segments of each window, with the times of their words where `spec` has those."""

    def __init__(self, spec: ResponseSpec) -> None:
        self._spec = spec

    def more(self, segments: Sequence[Segment]) -> SegmentsDelta | None:
        return formats.segments_delta(segments, self._spec) if segments else None

    def ending(self, found: Transcription) -> list[PlainDone]:
        """One event, which has all that the answer without a stream has."""
        return [PlainDone(**dict(formats.plain_body(found, self._spec)))]


def _error(work: asyncio.Task[Transcription]) -> HttpError | None:
    """The error of the finished `work`; None: it has a text."""
    error = work.exception()
    if error is None or isinstance(error, HttpError):
        return error
    log.error("a streamed request failed", exc_info=error)
    return internal_error()


def _event(body: BaseModel) -> bytes:
    return f"data: {body.model_dump_json(exclude_none=not isinstance(body, ErrorBody))}\n\n".encode()
