"""Who sits in the batch: windows of all requests get places, are encoded, decoded together, and make room.

One turn encodes what has a place to go to, then decodes one step of all rows; requests come and go between turns.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from inspect import GEN_CLOSED, getgeneratorstate
from itertools import count
from typing import Final

import torch

from whisper_runtime.engine.batching.answers import Answers
from whisper_runtime.engine.batching.batch import Batch, Row
from whisper_runtime.engine.batching.beam_search import Search
from whisper_runtime.engine.batching.request import Request, Windows
from whisper_runtime.engine.batching.sequence import Place, Stream
from whisper_runtime.engine.batching.throughput import LongSpeed, Speed
from whisper_runtime.engine.interface import Observer, OutOfMemory
from whisper_runtime.engine.model import device
from whisper_runtime.engine.model.load import Model
from whisper_runtime.engine.model.memory import WINDOWS_ENCODED_AT_ONCE
from whisper_runtime.engine.policy.logit_filters import Filters
from whisper_runtime.engine.policy.queries import Answer, Pause, Said
from whisper_runtime.engine.policy.tokens import Tokens
from whisper_runtime.engine.policy.windows import is_silence

SEARCHES_AT_ONCE: Final = 2
"""Windows that are searched beside the batch: a step of one costs nearly what a step of the batch does."""

log = logging.getLogger(__name__)


class Table:
    def __init__(self, model: Model, tokens: Tokens, batch: Batch, observer: Observer) -> None:
        self._model, self._tokens, self._batch, self._observer = model, tokens, batch, observer
        self._answers = Answers(model, tokens, batch, observer)
        self._filters = Filters(tokens.vocabulary, model.device)
        self._at_once = WINDOWS_ENCODED_AT_ONCE[model.device.type]
        self._streams: list[Stream] = []
        self._tickets = count()
        self.requests: list[Request] = []
        self.speed, self.long_speed = Speed(), LongSpeed()

    def add(self, request: Request) -> None:
        self.requests.append(request)
        opening = request.opening(self._tokens, self._model.dims.n_mels, self._model.device)
        self._streams.append(Stream(request, opening, next(self._tickets)))

    def turn(self) -> None:
        """Everything that is done between two looks at who has come and who has gone."""
        started = time.perf_counter()
        for request in [one for one in self.requests if one.future.cancelled()]:
            self._observer.cancelled()
            self._remove(request)
        with torch.inference_mode():
            self._open()
            self._admit()
            self._step()
        worked = time.perf_counter() - started
        for speed in (self.speed, self.long_speed):
            speed.worked(worked)

    def fail(self, error: Exception) -> None:
        """Ends every request with `error`; the device, which may be lost, is asked for nothing any more."""
        self._streams.clear()
        while self.requests:
            _end_with(self.requests.pop(), error)

    def _open(self) -> None:
        """The next piece of reading a file, for as many as are encoded at once: who has waited longest first."""
        paused = [stream for stream in self._streams if isinstance(stream.pending, Pause)]
        for stream in sorted(paused, key=lambda stream: stream.ticket)[: self._at_once]:
            self._for(stream, lambda stream: self._go_on(stream, None))

    def _admit(self) -> None:
        waiting = [one for one in self._streams if one.place is None and one.window is not None]
        if crowded := [one for one in self._streams if one.needs_all]:
            waiting = [] if any(one.place for one in self._streams) else crowded[:1]
        waiting.sort(key=lambda stream: stream.priority)
        searched = sum(isinstance(stream.place, Search) for stream in self._streams)
        room = {True: SEARCHES_AT_ONCE - searched, False: self._batch.free}
        chosen: list[Stream] = []
        for stream in waiting:
            if room[stream.is_searched] > 0 and len(chosen) < self._at_once:
                room[stream.is_searched] -= 1
                chosen.append(stream)
        if chosen:
            self._encode(chosen)

    def _encode(self, chosen: Sequence[Stream]) -> None:
        mels = torch.stack([stream.window.mel for stream in chosen if stream.window])
        features = None
        with suppress(torch.OutOfMemoryError):  # while it is held, so is the memory
            features = self._answers.timed("encode", lambda: self._model.encoder(mels))
        if features is None:
            return self._in_halves(chosen, self._encode)
        for stream, one in zip(chosen, features.unbind(), strict=True):
            self._for(stream, lambda stream, one=one: self._seat(stream, one[None]))

    def _seat(self, stream: Stream, features: torch.Tensor) -> None:
        """Gives the stream a place where its window can be asked about."""
        window, request = stream.window, stream.request
        assert window is not None
        if not request.has_begun:
            request.has_begun = True
            self._observer.stage("queue", time.perf_counter() - request.since)
        if stream.is_searched:
            stream.place = Search(self._model, self._tokens, self._filters, window, features)
        else:
            stream.place = self._batch.join(window, features)
        request.in_flight += 1
        self._serve(stream)

    def _step(self) -> None:
        """One more token for every row that is being decoded."""
        if self._batch.rows:
            self._observer.batch(len(self._batch.rows), self._batch.capacity)
            self._step_rows([stream for stream in self._streams if isinstance(stream.place, Row)])
        for stream in [one for one in self._streams if isinstance(one.place, Search)]:
            self._for(stream, self._step_search)
        for stream in [one for one in self._streams if one.place and one.place.result]:
            self._for(stream, self._serve)

    def _step_rows(self, streams: Sequence[Stream]) -> None:
        rows = sorted(stream.place.index for stream in streams if stream.place)
        with suppress(torch.OutOfMemoryError):
            return self._answers.timed("decode_step", lambda: self._batch.step(rows[0], len(rows)))
        ordered = sorted(streams, key=lambda stream: stream.place.index if stream.place else 0)
        self._in_halves(ordered, self._step_rows)

    def _step_search(self, stream: Stream) -> None:
        if isinstance(stream.place, Search):
            self._answers.timed("decode_step", stream.place.step)

    def _in_halves(self, streams: Sequence[Stream], work: Callable[[Sequence[Stream]], None]) -> None:
        """Does `work` for one half, then for the other."""
        if len(streams) == 1:
            return self._crowded(streams[0])
        self._observer.split()
        device.release(self._model.device)
        middle = len(streams) // 2
        for half in (streams[middle:], streams[:middle]):
            if left := [stream for stream in half if stream in self._streams]:
                work(left)

    def _crowded(self, stream: Stream) -> None:
        """Takes a stream that does not fit off the device, until nobody else is there; alone, its request fails."""
        has_company = any(one.place for one in self._streams if one is not stream)
        self._vacate(stream)
        device.release(self._model.device)
        if has_company and getgeneratorstate(stream.windows) != GEN_CLOSED:
            stream.needs_all = True
        else:
            self._fail(stream.request, OutOfMemory())

    def _serve(self, stream: Stream) -> None:
        """Answers all that can be answered from the stream's place, which it leaves once it asks for another window."""
        while (place := stream.place) is not None and stream.window is place.window:
            answer = self._answers.of(place, stream.pending)
            if answer is None:
                return
            self._go_on(stream, answer)
        self._leave(stream)

    def _go_on(self, stream: Stream, answer: Answer) -> None:
        if isinstance(answer, Said) and is_silence(answer):
            self._observer.no_speech()
        try:
            stream.pending = stream.windows.send(answer)
        except StopIteration as end:
            self._end(stream, end.value or [])

    def _end(self, stream: Stream, following: list[Windows]) -> None:
        """Puts those in its place that the generator leaves behind; without any, the request may be done."""
        request = stream.request
        self._streams.remove(stream)
        streams = [Stream(request, windows, next(self._tickets)) for windows in following]
        self._streams += streams
        if streams:
            streams[0].place, stream.place = stream.place, None
        for one in streams:
            self._go_on(one, None)
            self._serve(one)
        self._leave(stream)
        if request in self.requests and not any(one.request is request for one in self._streams):
            self.requests.remove(request)
            if request.future.set_running_or_notify_cancel():
                request.future.set_result(request.done())

    def _leave(self, stream: Stream) -> None:
        """Gives the stream's place up; the stream waits again, behind the others."""
        if (place := self._vacate(stream)) is None:
            return
        stream.ticket, stream.needs_all = next(self._tickets), False
        heard = min(stream.request.seconds_left, place.window.seconds)
        stream.request.seconds_left -= heard
        for speed in (self.speed, self.long_speed):
            speed.heard(heard)

    def _vacate(self, stream: Stream) -> Place | None:
        place, stream.place = stream.place, None
        if isinstance(place, Row):
            self._batch.leave(place)
        if place is not None:
            stream.request.in_flight -= 1
        return place

    def _for(self, stream: Stream, work: Callable[[Stream], object]) -> None:
        """Does `work` for a stream that is still there; what goes wrong is the request's end, and nobody else's.

        Raises where it is the device that went wrong.
        """
        if stream not in self._streams:
            return
        try:
            with suppress(torch.OutOfMemoryError):
                work(stream)
                return
            self._crowded(stream)
        except Exception as error:
            log.exception("a request failed")
            device.check(self._model.device)
            self._fail(stream.request, error)

    def _fail(self, request: Request, error: Exception) -> None:
        self._remove(request)
        _end_with(request, error)

    def _remove(self, request: Request) -> None:
        for stream in [one for one in self._streams if one.request is request]:
            self._leave(stream)
            self._streams.remove(stream)
        self.requests.remove(request)


def _end_with(request: Request, error: Exception) -> None:
    if request.future.set_running_or_notify_cancel():
        request.future.set_exception(error)
