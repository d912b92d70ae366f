"""What is asked about a window, answered from the place that it has: all of it from one encoding."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from whisper_runtime.engine.batching.alignment import hear
from whisper_runtime.engine.batching.batch import Batch
from whisper_runtime.engine.batching.beam_search import Search
from whisper_runtime.engine.batching.sequence import Place
from whisper_runtime.engine.interface import Observer
from whisper_runtime.engine.model.load import Model
from whisper_runtime.engine.policy.queries import Align, Answer, Decode, Detect, Language, Pause, Said, Script, Work
from whisper_runtime.engine.policy.tokens import Tokens

T = TypeVar("T")


class Answers:
    def __init__(self, model: Model, tokens: Tokens, batch: Batch, observer: Observer) -> None:
        self._model, self._tokens, self._batch, self._observer = model, tokens, batch, observer

    def of(self, place: Place, asked: Work) -> Answer:
        """None: it takes more steps."""
        match asked:
            case Detect():
                return self.timed("detect", lambda: self._detected(place))
            case Align():
                eot = self._tokens.vocabulary.eot
                return self.timed("words", lambda: hear(self._model, place.cache, place.index, asked, eot))
            case Decode(script=script):
                return self._decoded(place, script)
            case Pause():
                return None

    def timed(self, stage: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        found = work()
        self._observer.stage(stage, time.perf_counter() - started)
        return found

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
