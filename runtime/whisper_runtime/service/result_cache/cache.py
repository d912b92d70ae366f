"""The results that are kept and those that are on their way, by key."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from weakref import WeakValueDictionary

from whisper_runtime.engine.interface import Engine
from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.service.model_info import ModelInfo, ServedModel
from whisper_runtime.service.result_cache.content import KnownAudio, KnownResult
from whisper_runtime.service.result_cache.directives import CacheDirectives
from whisper_runtime.service.result_cache.flight import Flight, Work
from whisper_runtime.service.result_cache.metrics import CacheMetrics
from whisper_runtime.service.result_cache.store import ResultStore


@dataclass(frozen=True)
class Hit:
    """A result that was kept."""

    result: KnownResult
    age: float
    """Seconds."""
    seconds_left: float


class ResultCache:
    """Use it in the event loop's thread."""

    def __init__(
        self, store: ResultStore, model: ServedModel, engine: Engine, metrics: CacheMetrics, *, is_shared: bool
    ) -> None:
        """`is_shared`: clients get what was transcribed for others."""
        self._store, self._model, self._engine, self._is_shared = store, model, engine, is_shared
        self.metrics = metrics
        self._flights: dict[str, Flight] = {}
        self._decoding: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def model(self) -> ModelInfo:
        return self._model.info

    def owner(self, client: str) -> str:
        """Whose results the client gets."""
        return "" if self._is_shared else client

    def decoding(self, upload: str | None) -> AbstractAsyncContextManager[None]:
        """Lets one request after the other decode an upload of that key: the second one then knows its audio.

        None: it has no key, and waits for nobody.
        """
        return nullcontext() if upload is None else self._decoding.setdefault(upload, asyncio.Lock())

    async def audio(self, upload: str) -> KnownAudio | None:
        """The audio of an upload; None: it was not decoded before."""
        stored = await self._store.get(upload)
        return KnownAudio.from_json(stored.content) if stored else None

    async def keep_audio(self, upload: str, audio: KnownAudio) -> None:
        await self._store.put(upload, audio.to_json())

    async def hit(self, key: str, directives: CacheDirectives) -> Hit | None:
        """The result of that key, where the directives take it; None: none is kept, or they do not."""
        stored = await self._store.get(key)
        if stored is None or not directives.takes(stored.age, stored.seconds_left):
            return None
        result = KnownResult.from_json(stored.content)
        return Hit(result, stored.age, stored.seconds_left)

    def flight(self, key: str) -> Flight | None:
        """The run that leads to the result of that key; None: none is under way."""
        return self._flights.get(key)

    def begin(self, key: str, work: Work) -> Flight:
        """Runs the model, and keeps the result; whoever asks for the same meanwhile may join."""

        async def land(found: Transcription, windows: Sequence[int]) -> KnownResult:
            result = KnownResult(found, tuple(windows), found.audio_seconds / self._engine.speed)
            if not found.is_sampled:
                await self._store.put(key, result.to_json())
            return result

        def end() -> None:
            if self._flights.get(key) is flight:
                del self._flights[key]

        flight = Flight(work, land, end)
        self._flights[key] = flight
        return flight
