"""The one thread that owns the model: it takes windows from all live requests, in turn, and decodes them."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import torch
from whisper.decoding import DecodingResult
from whisper.model import Whisper

from whisper_runtime.engine.protocol import Observer, OnSegments, Samples, State
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.engine.windows import Speaks, Window, Windows, windows

SMOOTHING: Final = 0.2
"""Weight of the newest window in the measured speed."""
FIRST_SPEED: Final = 1.0
SAMPLE_RATE: Final = 16_000

Load = Callable[[], Whisper]
Prove = Callable[[Callable[[Samples], str]], None]
"""Raises where the given transcriber does not hear what it should."""

log = logging.getLogger(__name__)


@dataclass
class Request:
    """A request in the queue, or between two of its windows."""

    samples: Samples | None
    """Until its first turn."""
    options: Options
    future: Future[Transcription]
    seconds_left: float
    on_segments: OnSegments | None = None
    windows: Windows | None = None
    pending: Window | None = None


class Scheduler:
    """The engine: see protocol.Engine. `load` and `prove` run in its thread, before the first request."""

    def __init__(self, load: Load, prove: Prove, observer: Observer | None = None) -> None:
        self._observer = observer
        self._load = load
        self._prove = prove
        self._requests: deque[Request] = deque()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self.state = State.LOADING
        self.error: str | None = None
        self.speed = FIRST_SPEED

    @property
    def queued_audio_seconds(self) -> float:
        return sum(request.seconds_left for request in tuple(self._requests) if not request.future.cancelled())

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the window that it works on; requests that are left are cancelled."""
        with self._changed:
            self.state = State.STOPPED
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()
        while self._requests:
            self._requests.popleft().future.cancel()

    def submit(
        self, samples: Samples, options: Options, on_segments: OnSegments | None = None
    ) -> Future[Transcription]:
        future: Future[Transcription] = Future()
        with self._changed:
            self._requests.append(Request(samples, options, future, len(samples) / SAMPLE_RATE, on_segments))
            self._changed.notify()
        return future

    def _run(self) -> None:
        try:
            model = self._load()
            speaks = Speaks(
                model.dims, model.is_multilingual, model.num_languages, next(model.parameters()).dtype != torch.float32
            )
            self._prove(lambda samples: self._alone(model, speaks, samples).text)
        except Exception as error:
            log.error("the model is not served: %s", error)
            self.error = str(error)
            self.state = State.FAILED
            return
        with self._changed:
            if self.state is State.LOADING:
                self.state = State.READY
        while (request := self._next()) is not None:
            self._advance(model, speaks, request)

    def _next(self) -> Request | None:
        """The request whose turn it is, out of the queue; waits for one. None: stop."""
        with self._changed:
            while self.state is State.READY:
                while self._requests and self._requests[0].future.cancelled():
                    self._requests.popleft()
                if self._requests:
                    return self._requests[0]
                self._changed.wait()
        return None

    def _advance(self, model: Whisper, speaks: Speaks, request: Request) -> None:
        """One window of `request`; it then goes behind the others, so that a short one overtakes a long one."""
        done: Transcription | Exception | None
        try:
            done = self._step(model, speaks, request)
        except Exception as error:
            log.exception("a request failed")
            done = error
        with self._changed:
            self._requests.remove(request)
            if done is None:
                self._requests.append(request)
        if done is not None and request.future.set_running_or_notify_cancel():
            if isinstance(done, Transcription):
                request.future.set_result(done)
            else:
                request.future.set_exception(done)

    def _step(self, model: Whisper, speaks: Speaks, request: Request) -> Transcription | None:
        """Decodes the pending window; the transcription where it was the last one."""
        try:
            if request.windows is None or request.pending is None:
                assert request.samples is not None
                request.windows = windows(request.samples, request.options, speaks, request.on_segments)
                request.samples = None
                request.pending = next(request.windows)
            window = request.pending
            result = self._timed(model, window)
            request.pending = request.windows.send(result)
        except StopIteration as end:
            return end.value
        if window.seconds and request.pending is not window:
            request.seconds_left = max(0.0, request.seconds_left - window.seconds)
        return None

    def _timed(self, model: Whisper, window: Window) -> DecodingResult:
        started = time.perf_counter()
        result = decode(model, window)
        if window.seconds:
            speed = window.seconds / (time.perf_counter() - started)
            self.speed += SMOOTHING * (speed - self.speed)
        return result

    def _alone(self, model: Whisper, speaks: Speaks, samples: Samples) -> Transcription:
        """One recording without the queue: how the model is proven, and warmed up."""
        request = Request(samples, Options(language="en"), Future(), 0.0)
        while (done := self._step(model, speaks, request)) is None:
            pass
        return done


def decode(model: Whisper, window: Window) -> DecodingResult:
    """What the model makes of one window, by openai-whisper's own decoder."""
    with torch.inference_mode():
        mel = window.mel.to(model.device)
        if window.options.fp16:
            mel = mel.half()
        found = model.decode(mel, window.options)  # pyright: ignore[reportUnknownMemberType]
    assert isinstance(found, DecodingResult)
    return found
