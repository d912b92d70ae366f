"""The results that are kept and those that are on their way, by key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol
from weakref import WeakValueDictionary

from whisper_runtime.engine.interface import Engine
from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.result_cache.content import Hit, KnownResult
from whisper_runtime.service.result_cache.directives import CacheDirectives
from whisper_runtime.service.result_cache.flight import Flight, RunAndKeep, Work
from whisper_runtime.service.result_cache.kept_results import KeptResults
from whisper_runtime.service.result_cache.metrics import CacheMetrics
from whisper_runtime.service.result_cache.store import ResultStore

FindResult = Callable[[], Awaitable[Hit | None]]
"""Looks for a result that the request takes; None: there is none (yet)."""


class PodTurns(Protocol):
    def turn(self, key: str, find: FindResult) -> AbstractAsyncContextManager[Hit | None]:
        """Waits until it is this pod's turn to run the model for the result of that key (None), or until that is there.

        The turn ends with the block, in which its result is to be kept. A pod that ends or hangs loses its turn.
        """
        ...


class ResultCache(KeptResults):
    """What is kept, and what is on its way. Use it in the event loop's thread."""

    def __init__(
        self,
        store: ResultStore,
        uploads: ResultStore,
        model: ServedModel,
        engine: Engine,
        metrics: CacheMetrics,
        *,
        is_shared: bool,
        decoder: str = "",
        turns: PodTurns | None = None,
    ) -> None:
        """As KeptResults. `decoder`: empty where `uploads` are this process's alone.

        `turns` None: this process waits for no other.
        """
        super().__init__(store, uploads, model, decoder=decoder, is_shared=is_shared)
        self._engine, self._turns = engine, turns
        self.metrics = metrics
        self._flights: dict[str, Flight] = {}
        self._decoding: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def decoding(self, upload: str | None) -> AbstractAsyncContextManager[None]:
        """Lets one request after the other decode an upload of that key: the second one then knows its audio.

        None: it has no key, and waits for nobody.
        """
        return nullcontext() if upload is None else self._decoding.setdefault(upload, asyncio.Lock())

    async def keep(self, key: str, found: Transcription, windows: tuple[int, ...]) -> KnownResult:
        """The result that `found` is, with so many segments in each window; it is kept unless it was sampled."""
        result = KnownResult(found, windows, found.audio_seconds / self._engine.speed)
        if not found.is_sampled:
            await self._store.put(key, result.to_json())
        return result

    async def forget(self, key: str) -> None:
        """Keeps the result of that key no longer."""
        await self._store.delete(key)

    def flight(self, key: str) -> Flight | None:
        """The run that leads to the result of that key; None: none is under way."""
        return self._flights.get(key)

    def begin(self, key: str, work: Work, *, yields: bool = False) -> Flight:
        """Runs the model, and keeps the result; whoever asks for the same meanwhile may join.

        `yields`: it is in the background until a request joins.
        """

        async def run(flight: Flight) -> KnownResult:
            return await self.keep(key, await work(flight), flight.windows)

        self.metrics.requested("miss")
        return self._fly(key, run, yields=yields)

    def begin_in_turn(self, key: str, work: Work, let_go: Callable[[], None], directives: CacheDirectives) -> Flight:
        """The same, unless another process does so now, whose result is taken then where the directives do.

        `let_go` of what `work` needs, which is not done then.
        """
        if self._turns is None or directives.no_cache:
            return self.begin(key, work)
        turns = self._turns

        async def run(flight: Flight) -> KnownResult:
            try:
                async with turns.turn(key, lambda: self.hit(key, directives)) as hit:
                    self.metrics.requested("join" if hit else "miss")
                    if hit is None:
                        return await self.keep(key, await work(flight), flight.windows)
            finally:
                let_go()
            flight.follow(hit.result)
            return hit.result

        return self._fly(key, run)

    def _fly(self, key: str, run: RunAndKeep, *, yields: bool = False) -> Flight:
        def end() -> None:
            if self._flights.get(key) is flight:
                del self._flights[key]

        flight = Flight(run, end, yields=yields)
        self._flights[key] = flight
        return flight
