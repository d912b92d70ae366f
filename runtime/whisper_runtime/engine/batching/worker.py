"""The one thread that owns the model: requests come to it, and it gives them their turns."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

import torch

from whisper_runtime.engine.batching.batch import Batch
from whisper_runtime.engine.batching.request import Request
from whisper_runtime.engine.batching.scheduler import Table
from whisper_runtime.engine.batching.throughput import FIRST, LongSpeed
from whisper_runtime.engine.interface import NO_MODEL, Observer, OnSegments, Samples, State, Unobserved
from whisper_runtime.engine.model import memory
from whisper_runtime.engine.model.linear import activations
from whisper_runtime.engine.model.load import Model
from whisper_runtime.engine.policy.tokens import Tokens
from whisper_runtime.engine.transcription import Options, Transcription

Load = Callable[[], Model]
Prove = Callable[[Callable[[Samples], str]], None]
"""Raises where the given transcriber does not hear what it should."""

IDLE_SECONDS: Final = 60.0
"""After so long without work it is not known any more how fast long files are: who is refused measures nothing."""

log = logging.getLogger(__name__)


class Scheduler:
    """The engine: see protocol.Engine. `load` and `prove` run in its thread, before the first request."""

    def __init__(
        self, load: Load, prove: Prove, observer: Observer | None = None, max_batch_size: int | None = None
    ) -> None:
        self._load = load
        self._prove = prove
        self._observer = observer or Unobserved()
        self._max_batch_size = max_batch_size
        self._come: deque[Request] = deque()
        """Requests that the thread has not seen yet."""
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._table: Table | None = None
        self.state = State.LOADING
        self.abilities = NO_MODEL
        self.error: str | None = None

    @property
    def speed(self) -> float:
        return self._table.speed.value if self._table else FIRST

    @property
    def long_speed(self) -> float:
        return self._table.long_speed.value if self._table else math.inf

    @property
    def queued_audio_seconds(self) -> float:
        with self._changed:
            requests = [*self._come, *(self._table.requests if self._table else ())]
        return sum(request.seconds_left for request in requests if not request.future.cancelled())

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the step that it is in; requests that are left are cancelled.

        Loading a model is no step and cannot be broken off: who does not wait for it ends the process.
        """
        with self._changed:
            loading = self.state is State.LOADING
            self.state = State.STOPPED
            self._changed.notify()
        if self._thread.is_alive() and not loading:
            self._thread.join()
        with self._changed:
            left = [*self._come, *(self._table.requests if self._table else ())]
            self._come.clear()
        for request in left:
            request.future.cancel()

    def submit(
        self, samples: Samples, options: Options, on_segments: OnSegments | None = None
    ) -> Future[Transcription]:
        future: Future[Transcription] = Future()
        with self._changed:
            self._come.append(Request(samples, options, future, on_segments, time.perf_counter()))
            self._changed.notify()
        return future

    def _run(self) -> None:
        try:
            model = self._load()
            table = table_of(model, self._observer, self._max_batch_size)
            self._prove(lambda samples: _alone(table, samples).text)
            table.long_speed = LongSpeed()  # the first recording warmed the device up, and none is as slow again
        except Exception as error:
            log.error("the model is not served: %s", error)
            self._fail(error)
            return
        with self._changed:
            self._table, self.abilities = table, model.abilities
            if self.state is State.LOADING:
                self.state = State.READY
        try:
            while self._take(table):
                table.turn()
        except Exception as error:  # no single request's: a broken GPU answers nobody
            log.exception("the model is not served any more")
            with self._changed:
                self._fail(error)
                while self._come:
                    table.add(self._come.popleft())
            table.fail(error)

    def _fail(self, error: Exception) -> None:
        self.error = str(error) or type(error).__name__
        self.state = State.FAILED

    def _take(self, table: Table) -> bool:
        """Brings who has come to the table; waits while nobody is there. False: stop."""
        with self._changed:
            while self.state is State.READY and not self._come and not table.requests:
                if not self._changed.wait(IDLE_SECONDS):
                    table.long_speed = LongSpeed()
            while self._come:
                table.add(self._come.popleft())
            return self.state is State.READY


def table_of(model: Model, observer: Observer, max_batch_size: int | None = None) -> Table:
    tokens = Tokens(model.is_multilingual, model.num_languages, model.dims.n_vocab, model.dims.n_text_ctx)
    dtype = activations(model.device, model.precision)
    with torch.inference_mode():
        batch = Batch(model, tokens, memory.rows(model.dims, model.device, dtype, max_batch_size))
    return Table(model, tokens, batch, observer)


def _alone(table: Table, samples: Samples) -> Transcription:
    """One recording, before there are others: how the model is proven, and warmed up.

    Greedily: the same model is proven each time, and one that hears nothing right is known after one pass, not six.
    """
    future: Future[Transcription] = Future()
    table.add(Request(samples, Options(language="en", temperatures=(0.0,)), future, None, time.perf_counter()))
    while not future.done():
        table.turn()
    return future.result()
