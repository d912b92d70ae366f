"""One run of the model that several requests wait for (ADR 48)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager, suppress

from whisper_runtime.engine.interface import OnProgress, OnSegments
from whisper_runtime.engine.transcription import Segment, Transcription
from whisper_runtime.service.result_cache.content import KnownResult

Work = Callable[["Flight"], Coroutine[None, None, Transcription]]
"""Runs the model; it gives the flight segments and progress, from any thread, and asks it whether it yields."""
RunAndKeep = Callable[["Flight"], Coroutine[None, None, KnownResult]]
"""The same, and what its transcription is kept as."""


class Flight:
    """Goes on for as long as anybody waits for it, whoever began it. Use it in the event loop's thread."""

    def __init__(self, run: RunAndKeep, on_end: Callable[[], None], *, yields: bool = False) -> None:
        """`on_end` is called once nobody can join any more. `yields`: it is in the background until a request joins."""
        self._loop = asyncio.get_running_loop()
        self._windows: list[Sequence[Segment]] = []
        self._seconds = 0.0
        self._on_window: list[OnSegments] = []
        self._on_progress: list[OnProgress] = []
        self._waiting = 0
        self._on_end, self._yields = on_end, yields
        self.is_anothers = False
        """Whether another process has run the model for it."""
        self.is_transcribed = False
        """Whether the model is done, and what is left is the search for speakers."""
        self._task = asyncio.create_task(self._run(run), name="flight")

    def is_background(self) -> bool:
        """Whether nobody but jobs waits for it; from any thread."""
        return self._yields

    async def join(
        self,
        on_window: OnSegments | None = None,
        on_progress: OnProgress | None = None,
        *,
        yields: bool = False,
    ) -> KnownResult:
        """The result, when it is there; both get what was there before, and then the rest, in the event loop.

        `yields`: other recordings may go before it, as far as it goes by who asks. Raises what the work raises.
        Cancelling ends the work where nobody else waits for it.
        """
        self._yields = self._yields and yields
        self._waiting += 1
        with self._called(on_window, on_progress):
            try:
                return await asyncio.shield(self._task)
            finally:
                self._waiting -= 1
                if not self._waiting and not self._task.done():
                    self._on_end()
                    self._task.cancel()
                    await asyncio.wait({self._task})  # until it has let go of its place and its disk

    @contextmanager
    def _called(self, on_window: OnSegments | None, on_progress: OnProgress | None) -> Generator[None]:
        if on_window:
            for window in self._windows:
                on_window(window)
            self._on_window.append(on_window)
        if on_progress:
            if self._seconds:
                on_progress(self._seconds)
            self._on_progress.append(on_progress)
        try:
            yield
        finally:
            if on_window:
                self._on_window.remove(on_window)
            if on_progress:
                self._on_progress.remove(on_progress)

    def on_segments(self, segments: Sequence[Segment]) -> None:
        """Notes what has become final; from any thread."""
        with suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(self._put, segments)

    def on_progress(self, seconds: float) -> None:
        """Notes how many seconds of the recording the model is done with; from any thread."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._advance, seconds)

    def note_transcribed(self) -> None:
        self.is_transcribed = True

    @property
    def windows(self) -> tuple[int, ...]:
        """How many segments became final at once, one time after the other."""
        return tuple(map(len, self._windows))

    def follow(self, result: KnownResult) -> None:
        """Gives who waits the segments of another process's run."""
        self.is_anothers = True
        for window in result.replay():
            self._put(window)

    async def _run(self, run: RunAndKeep) -> KnownResult:
        try:
            return await run(self)
        finally:
            self._on_end()

    def _put(self, segments: Sequence[Segment]) -> None:
        self._windows.append(segments)
        for on_window in self._on_window:
            on_window(segments)

    def _advance(self, seconds: float) -> None:
        self._seconds = seconds
        for on_progress in self._on_progress:
            on_progress(seconds)
