"""One run of the model that several requests wait for (ADR 48)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence

from whisper_runtime.engine.interface import OnSegments
from whisper_runtime.engine.transcription import Segment, Transcription
from whisper_runtime.service.result_cache.content import KnownResult
from whisper_runtime.service.transcribe import SegmentStream

Work = Callable[[OnSegments], Coroutine[None, None, Transcription]]
"""Runs the model; segments may come from any thread."""
Land = Callable[[Transcription, Sequence[int]], Coroutine[None, None, KnownResult]]
"""Makes the result of a transcription, whose segments became final so many at a time."""


class Flight:
    """Goes on for as long as anybody waits for it, whoever began it. Use it in the event loop's thread."""

    def __init__(self, work: Work, land: Land, on_end: Callable[[], None]) -> None:
        """`on_end` is called once nobody can join any more."""
        self._loop = asyncio.get_running_loop()
        self._windows: list[Sequence[Segment]] = []
        self._streams: list[SegmentStream] = []
        self._waiting = 0
        self._on_end = on_end
        self._task = asyncio.create_task(self._run(work, land), name="flight")

    async def join(self, stream: SegmentStream | None) -> KnownResult:
        """The result, when it is there; `stream` gets what has become final before, and then the rest.

        Raises what the work raises. Cancelling ends the work where nobody else waits for it.
        """
        self._waiting += 1
        if stream is not None:
            for window in self._windows:
                stream.put(window)
            self._streams.append(stream)
            stream.accepted.set()
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiting -= 1
            if stream is not None:
                self._streams.remove(stream)
            if not self._waiting and not self._task.done():
                self._on_end()
                self._task.cancel()
                await asyncio.wait({self._task})  # until it has let go of its place and its disk

    async def _run(self, work: Work, land: Land) -> KnownResult:
        try:
            found = await work(self._on_segments)
            return await land(found, [len(window) for window in self._windows])
        finally:
            self._on_end()

    def _on_segments(self, segments: Sequence[Segment]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(self._put, segments)

    def _put(self, segments: Sequence[Segment]) -> None:
        self._windows.append(segments)
        for stream in self._streams:
            stream.put(segments)
