"""The thread that owns the model: it loads and proves it, and runs the scheduler for the requests of other threads."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from whisper_runtime.engine.batching.request import TranscriptionRequest
from whisper_runtime.engine.batching.scheduler import Scheduler
from whisper_runtime.engine.batching.throughput import INITIAL
from whisper_runtime.engine.interface import (
    NO_MODEL,
    IsBackground,
    OnBegun,
    OnProgress,
    OnSegments,
    OnStage,
    Samples,
    State,
    in_foreground,
)
from whisper_runtime.engine.transcription import Options, Transcription

Transcribe = Callable[[Samples, str], str]
"""The text of a recording in the language of that ISO-639-1 code."""
Prove = Callable[[Transcribe], None]
"""Raises where the given transcriber does not transcribe what it should."""

IDLE_SECONDS: Final = 60.0
"""After so long without work the throughput of a row is unknown: a file that is refused is not measured."""

STUCK_SECONDS: Final = 300.0
"""An iteration that takes longer will not end: a kernel or the driver hangs. The longest that ends encodes one window:
20 s with large-v3 on two processors, and on a quarter of one still within this time."""

log = logging.getLogger(__name__)


class EngineWorker(threading.Thread):
    """The engine (see interface.Engine)."""

    def __init__(
        self,
        load: Callable[[], Scheduler],
        prove: Prove,
        idle_seconds: float = IDLE_SECONDS,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        """`load` and `prove` run in this thread, before the first request; what they raise is the engine's `error`."""
        super().__init__(name="model", daemon=True)
        self._load = load
        self._prove = prove
        self._idle_seconds, self._stuck_seconds = idle_seconds, stuck_seconds
        self._submitted: deque[TranscriptionRequest] = deque()
        """Requests that the scheduler does not have yet."""
        self._changed = threading.Condition()
        self._scheduler: Scheduler | None = None
        """None until the model is proven."""
        self._iteration_began: float | None = None
        """By time.monotonic; None between two iterations."""
        self.state = State.LOADING
        self.abilities = NO_MODEL
        self.error: str | None = None

    @property
    def speed(self) -> float:
        return self._scheduler.throughput.speed if self._scheduler else INITIAL

    @property
    def row_speed(self) -> float:
        return self._scheduler.throughput.row_speed if self._scheduler else math.inf

    @property
    def is_stuck(self) -> bool:
        began = self._iteration_began
        return began is not None and time.monotonic() - began > self._stuck_seconds

    @property
    def queued_audio_seconds(self) -> float:
        free, not_begun = self._in_line()
        return sum(request.seconds_left for request in not_begun[free:])

    @property
    def free_rows(self) -> int:
        free, not_begun = self._in_line()
        return max(0, free - len(not_begun))

    @property
    def rows_in_flight(self) -> int:
        with self._changed:
            return sum(request.num_slots for request in self._requests())

    def submit(
        self,
        samples: Samples,
        options: Options,
        on_segments: OnSegments | None = None,
        *,
        client: str = "",
        on_progress: OnProgress | None = None,
        on_begun: OnBegun | None = None,
        on_stage: OnStage | None = None,
        is_background: IsBackground = in_foreground,
    ) -> Future[Transcription]:
        request = TranscriptionRequest(
            samples,
            options,
            Future(),
            on_segments,
            time.perf_counter(),
            client=client,
            on_progress=on_progress,
            on_begun=on_begun,
            on_stage=on_stage,
            is_background=is_background,
        )
        with self._changed:
            self._submitted.append(request)
            self._changed.notify()
        return request.future

    def stop(self) -> None:
        """End the thread after the current iteration; requests that are left are cancelled.

        A model that is being loaded cannot be interrupted and is not waited for, nor is a thread that hangs: the
        process's end ends them.
        """
        with self._changed:
            loading = self.state is State.LOADING
            self.state = State.STOPPED
            self._changed.notify()
        while self.is_alive() and not loading and not self.is_stuck:
            self.join(1)
        with self._changed:
            left = self._requests()
            self._submitted.clear()
        for request in left:
            request.future.cancel()

    def fail(self, error: Exception) -> None:
        """Serve no more, for what is wrong with the model: requests that are left fail with `error`."""
        log.error("the model is not served any more: %s", error)
        with self._changed:
            if self.state is not State.STOPPED:
                self._fail(error)
            self._changed.notify()

    def run(self) -> None:
        """The thread's work; `start` calls it."""
        if (scheduler := self._start_up()) is None:
            return
        try:
            while self._wait_for_work(scheduler):
                self._iteration_began = time.monotonic()
                scheduler.iterate()
                self._iteration_began = None
            if self.state is State.FAILED:
                scheduler.fail_all(RuntimeError(self.error))
        # Of no single request: a broken GPU serves none. A panic of native code is no Exception, and nothing else would
        # ever say that the thread has ended.
        except BaseException as error:
            log.exception("the model is not served any more")
            cause = error if isinstance(error, Exception) else RuntimeError(f"{type(error).__name__}: {error}")
            with self._changed:
                self._fail(cause)
                self._hand_over(scheduler)
            scheduler.fail_all(cause)

    def _start_up(self) -> Scheduler | None:
        """Load and prove the model; None where that fails."""
        try:
            scheduler = self._load()
            self._prove(lambda samples, language: transcribe_alone(scheduler, samples, language).text)
        except Exception as error:
            log.error("the model is not served: %s", error)
            self._fail(error)
            return None
        scheduler.when_aligned(self._wake)
        scheduler.throughput.forget_rows()  # the proof warmed the device up, and no recording is as slow again
        with self._changed:
            self._scheduler, self.abilities = scheduler, scheduler.abilities
            if self.state is State.LOADING:  # `fail` or `stop` may have come before
                self.state = State.READY
        return scheduler

    def _wait_for_work(self, scheduler: Scheduler) -> bool:
        """Wait until the scheduler has a request, and hand new ones over to it. False: the engine was stopped."""
        with self._changed:
            while self.state is State.READY and not self._submitted and not scheduler.has_work:
                if not self._changed.wait(self._idle_seconds):
                    scheduler.throughput.forget_rows()
            self._hand_over(scheduler)
            return self.state is State.READY

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def _hand_over(self, scheduler: Scheduler) -> None:
        while self._submitted:
            scheduler.add(self._submitted.popleft())

    def _in_line(self) -> tuple[int, list[TranscriptionRequest]]:
        """The rows that are free for requests that have not begun, and these, in the order in which they came.

        Those in the background yield to whoever asks, so nobody waits for them.
        """
        with self._changed:
            requests = self._requests()
            free = self._scheduler.free_rows if self._scheduler else 0
        waiting = (one for one in requests if not (one.has_begun or one.is_background() or one.future.cancelled()))
        return free, list(waiting)

    def _requests(self) -> list[TranscriptionRequest]:
        return [*(self._scheduler.requests if self._scheduler else ()), *self._submitted]

    def _fail(self, error: Exception) -> None:
        self.error = str(error) or type(error).__name__
        self.state = State.FAILED


def transcribe_alone(scheduler: Scheduler, samples: Samples, language: str = "en") -> Transcription:
    """One recording of that language on an idle scheduler: how the model is proven, and the device warmed up.

    Greedily: the same model is proven each time, and a model that transcribes nothing right is known after one pass,
    not six. Raises what the request's future raises.
    """
    future: Future[Transcription] = Future()
    options = Options(language=language, temperatures=(0.0,))
    scheduler.add(TranscriptionRequest(samples, options, future, None, time.perf_counter()))
    while not future.done():
        scheduler.iterate()
    return future.result()
