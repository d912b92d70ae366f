"""Answers by results that servers left in the shared store: no server is asked for them, and none is woken (ADR 81).

The servers' own routes answer, over what is kept alone; whatever else they say than a result, a server says better.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.types import Message, Scope

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.front.front_store import FrontStore, UsableStore, knows_servers
from whisper_runtime.front.own_answer import own_answer
from whisper_runtime.front.spool import SpooledBody
from whisper_runtime.http.request_state import state_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from whisper_runtime.http.front_routes import FrontRoutes
    from whisper_runtime.service.transcribe import RequestTranscriber

LOOKED_UP_AT_ONCE: Final = 16
"""Requests; each has some pieces of its body in memory meanwhile."""


def takes_results(config: RuntimeConfig) -> bool:
    """Whether a front that is configured so can know results: servers leave them in a store, by one checkpoint."""
    return knows_servers(config) and config.result_cache_max_bytes is not None


class KeptAnswers:
    """In the event loop's thread."""

    def __init__(self, store: FrontStore) -> None:
        self._store = store
        self._routes: FrontRoutes | None = None
        self._decoder = ""
        """Of the servers, as decoder_version has it."""
        self._places = asyncio.Semaphore(LOOKED_UP_AT_ONCE)
        store.on_open(self._open)

    async def answer(self, scope: Scope, body: SpooledBody) -> list[Message]:
        """The answer by what is kept for the request whose body that is; empty: nothing is kept."""
        if (opened := self._store.in_use) is None:
            return []
        assert self._routes is not None  # they are opened with the store
        async with self._places:
            if (facts := await self._store.facts(opened)) is None:
                return []
            self._decoder = facts.decoder
            return await own_answer(self._routes.answer, scope, body)

    def _open(self, opened: UsableStore) -> None:
        from whisper_runtime.http.cache_control import cache_directives
        from whisper_runtime.http.file_digest import HeadParser
        from whisper_runtime.http.front_routes import FrontRoutes
        from whisper_runtime.service.result_cache.kept_results import KeptResults
        from whisper_runtime.service.result_cache.kept_transcriber import KeptTranscriber
        from whisper_runtime.service.result_cache.metrics import CacheMetrics
        from whisper_runtime.service.result_cache.store import MemoryStore
        from whisper_runtime.service.shared.open import shared_results

        config, model = self._store.config, opened.model
        assert config.result_cache_max_bytes is not None  # takes_results
        results = shared_results(config, MemoryStore(0, 0), opened.shared, config.result_cache_max_bytes)
        metrics = CacheMetrics(self._store.registry, lambda: 0)
        is_shared = config.result_cache_scope == "service"

        def transcriber_of(request: Request) -> RequestTranscriber:
            kept = KeptResults(results, results, model, decoder=self._decoder, is_shared=is_shared)
            digest = state_of(request.scope).file_digest
            return KeptTranscriber(kept, metrics, opened.rates, cache_directives(request.headers), digest)

        self._routes = FrontRoutes(model, transcriber_of, HeadParser)
