"""A transcription while it happens, as server-sent events in OpenAI's shape."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from pydantic import BaseModel
from starlette.responses import StreamingResponse
from starlette.types import Scope

from whisper_runtime.engine.transcription import Segment, Transcription
from whisper_runtime.errors import ApiError, ClientGone, internal_error
from whisper_runtime.http.middleware.access_log import ended
from whisper_runtime.http.openai import formats, logprobs
from whisper_runtime.http.openai.options import Answer
from whisper_runtime.http.openai.responses import ErrorBody, Logprob, Problem, TextDelta, TextDone
from whisper_runtime.service.model_info import ServedModel

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS: Final = 15.0
"""A quarter of the silence after which proxies usually give a connection up."""
KEEP_ALIVE: Final = b": waiting\n\n"
"""A comment, which every reader of events passes over."""
HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""The second tells nginx to pass each event on at once."""

Work = asyncio.Task[Transcription]
"""A transcription under way."""


class Live:
    """What one transcription tells while it runs."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.accepted = asyncio.Event()
        """Set once the recording is decoded and has its place in the queue."""
        self.heard: asyncio.Queue[Sequence[Segment] | None] = asyncio.Queue()
        """Segments window by window; None: there are no more."""

    def on_segments(self, segments: Sequence[Segment]) -> None:
        """Passes segments on from the model's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends, and nobody listens any more
            self._loop.call_soon_threadsafe(self.heard.put_nowait, segments)

    def end(self, work: Work) -> None:
        """Ends the stream of segments, and looks at the error, which asyncio logs if nobody ever does."""
        if not work.cancelled():
            work.exception()
        self.heard.put_nowait(None)


async def stream(scope: Scope, work: Work, live: Live, said: Said) -> StreamingResponse:
    """The answer to a request that streams, as soon as `work` has its place in the queue.

    What goes wrong before is raised, and becomes an ordinary answer with its own status; what goes wrong later is an
    event with `error`, on which OpenAI's clients raise.
    """
    work.add_done_callback(live.end)
    accepted = asyncio.create_task(live.accepted.wait())
    try:
        await asyncio.wait({work, accepted}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        work.cancel()
        raise
    finally:
        accepted.cancel()
    if not live.accepted.is_set():
        work.result()
    ended(scope, ClientGone())  # unless the last event is sent
    return StreamingResponse(_events(scope, work, live, said), headers=HEADERS, media_type="text/event-stream")


async def _events(scope: Scope, work: Work, live: Live, said: Said) -> AsyncGenerator[bytes]:
    try:
        while (segments := await _next(live)) is not None:
            if not segments:
                yield KEEP_ALIVE
            elif delta := said.more(segments):
                yield _event(delta)
        error = _error(work)
        yield _event(ErrorBody(error=Problem.model_validate(error.body)) if error else said.done(work.result()))
        ended(scope, error)
    finally:
        work.cancel()  # the client may have gone: this gives the place in the queue back


async def _next(live: Live) -> Sequence[Segment] | None:
    """The next window's segments; none after KEEP_ALIVE_SECONDS without any."""
    try:
        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
            return await live.heard.get()
    except TimeoutError:
        return ()


class Said:
    """The text so far, and what each window adds to it: all deltas together are the text of the last event."""

    def __init__(self, answer: Answer, served: ServedModel) -> None:
        self._answer = answer
        self._served = served
        self._raw = ""

    def more(self, segments: Sequence[Segment]) -> TextDelta | None:
        """What `segments` add; None: nothing but space, which is held back until something follows."""
        before = self._raw.strip()
        self._raw += "".join(segment.text for segment in segments)
        delta = self._raw.strip()[len(before) :]
        return TextDelta(delta=delta, logprobs=self._logprobs(segments)) if delta else None

    def done(self, found: Transcription) -> TextDone:
        return TextDone(text=found.text.strip(), logprobs=self._logprobs(found.segments), usage=formats.usage(found))

    def _logprobs(self, segments: Sequence[Segment]) -> list[Logprob] | None:
        return logprobs.logprobs(segments, english_only=self._served.english_only) if self._answer.logprobs else None


def _error(work: Work) -> ApiError | None:
    """Why there is no text."""
    error = work.exception()
    if error is None or isinstance(error, ApiError):
        return error
    log.error("a streamed request failed", exc_info=error)
    return internal_error()


def _event(body: BaseModel) -> bytes:
    return f"data: {body.model_dump_json(exclude_none=not isinstance(body, ErrorBody))}\n\n".encode()
