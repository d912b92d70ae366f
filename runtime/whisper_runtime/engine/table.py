"""Who sits in the batch: windows of all requests get places, are encoded, decoded together, and make room.

One turn encodes what has a place to go to, then decodes one step of all rows; requests come and go between turns.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final, TypeVar

import torch

from whisper_runtime.engine.alignment import hear
from whisper_runtime.engine.batch import Batch, Row
from whisper_runtime.engine.filters import Filters
from whisper_runtime.engine.memory import WINDOWS_ENCODED_AT_ONCE
from whisper_runtime.engine.model import Model
from whisper_runtime.engine.protocol import Observer
from whisper_runtime.engine.request import Request, Windows
from whisper_runtime.engine.search import Search
from whisper_runtime.engine.speech import Tokens
from whisper_runtime.engine.speed import LongSpeed, Speed
from whisper_runtime.engine.stream import Place, Stream
from whisper_runtime.engine.windows import is_silence
from whisper_runtime.engine.work import Align, Answer, Decode, Detect, Language, Pause, Said, Script, Work

SEARCHES_AT_ONCE: Final = 2
"""Windows that are searched beside the batch: a step of one costs nearly what a step of the batch does."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class Table:
    def __init__(self, model: Model, tokens: Tokens, batch: Batch, observer: Observer) -> None:
        self._model, self._tokens, self._batch, self._observer = model, tokens, batch, observer
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
        """Ends every request with `error`."""
        for request in list(self.requests):
            self._fail(request, error)

    def _open(self) -> None:
        """The next piece of reading a file, for as many as are encoded at once: who has waited longest first."""
        paused = [stream for stream in self._streams if isinstance(stream.pending, Pause)]
        for stream in sorted(paused, key=lambda stream: stream.ticket)[: self._at_once]:
            self._for(stream, lambda stream: self._go_on(stream, None))

    def _admit(self) -> None:
        waiting = [one for one in self._streams if one.place is None and one.window is not None]
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
        try:
            features = self._timed("encode", lambda: self._model.encoder(mels))
        except torch.OutOfMemoryError as error:
            self._in_halves(chosen, self._encode, error)
            return
        for stream, one in zip(chosen, features.unbind(), strict=True):
            self._for(stream, lambda stream, one=one: self._seat(stream, one[None]))

    def _seat(self, stream: Stream, features: torch.Tensor) -> None:
        """Gives the stream a place where its window can be asked about."""
        window, request = stream.window, stream.request
        assert window is not None
        if not request.has_begun:
            request.has_begun = True
            self._observer.stage("queue", time.perf_counter() - request.since)
        request.in_flight += 1
        if stream.is_searched:
            stream.place = Search(self._model, self._tokens, self._filters, window, features)
        else:
            stream.place = self._batch.join(window, features)
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
        try:
            self._timed("decode_step", lambda: self._batch.step(rows[0], len(rows)))
        except torch.OutOfMemoryError as error:
            ordered = sorted(streams, key=lambda stream: stream.place.index if stream.place else 0)
            self._in_halves(ordered, self._step_rows, error)

    def _step_search(self, stream: Stream) -> None:
        if isinstance(stream.place, Search):
            self._timed("decode_step", stream.place.step)

    def _in_halves(
        self, streams: Sequence[Stream], work: Callable[[Sequence[Stream]], None], error: torch.OutOfMemoryError
    ) -> None:
        """Does `work` for one half, then for the other; a single stream that does not fit fails with `error`."""
        if len(streams) == 1:
            self._fail(streams[0].request, error)
            return
        self._observer.split()
        if self._model.device.type == "cuda":
            torch.cuda.empty_cache()
        middle = len(streams) // 2
        for half in (streams[middle:], streams[:middle]):
            if left := [stream for stream in half if stream in self._streams]:
                work(left)

    def _serve(self, stream: Stream) -> None:
        """Answers all that can be answered from the stream's place, which it leaves once it asks for another window."""
        while (place := stream.place) is not None and stream.window is place.window:
            answer = self._answer(place, stream.pending)
            if answer is None:
                return
            self._go_on(stream, answer)
        self._leave(stream)

    def _answer(self, place: Place, asked: Work) -> Answer:
        """None: it takes more steps."""
        match asked:
            case Detect():
                return self._timed("detect", lambda: self._detected(place))
            case Align():
                eot = self._tokens.vocabulary.eot
                return self._timed("words", lambda: hear(self._model, place.cache, place.index, asked, eot))
            case Decode(script=script):
                return self._decoded(place, script)
            case Pause():
                return None

    def _decoded(self, place: Place, script: Script) -> Said | None:
        if place.script is not script:
            if place.script is not None:
                self._observer.fallback()
            if isinstance(place, Search):
                place.start(script)
            else:
                self._batch.start(place, script)
        return place.result

    def _detected(self, place: Place) -> Language:
        hidden = self._model.decoder([[self._tokens.plain.sot]], [0], place.cache, place.index)
        return self._tokens.language(self._model.decoder.logits(hidden)[0, 0])

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
        place, stream.place = stream.place, None
        if place is None:
            return
        if isinstance(place, Row):
            self._batch.leave(place)
        request = stream.request
        request.in_flight -= 1
        stream.ticket = next(self._tickets)
        heard = min(request.seconds_left, place.window.seconds)
        request.seconds_left -= heard
        for speed in (self.speed, self.long_speed):
            speed.heard(heard)

    def _for(self, stream: Stream, work: Callable[[Stream], T]) -> None:
        """Does `work` for a stream that is still there; what goes wrong is the request's end, and nobody else's."""
        if stream not in self._streams:
            return
        try:
            work(stream)
        except Exception as error:
            log.exception("a request failed")
            self._fail(stream.request, error)

    def _fail(self, request: Request, error: Exception) -> None:
        self._remove(request)
        if request.future.set_running_or_notify_cancel():
            request.future.set_exception(error)

    def _remove(self, request: Request) -> None:
        for stream in [one for one in self._streams if one.request is request]:
            self._leave(stream)
            self._streams.remove(stream)
        self.requests.remove(request)

    def _timed(self, stage: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        found = work()
        self._observer.stage(stage, time.perf_counter() - started)
        return found
