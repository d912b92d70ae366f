"""Answers by results that servers left in the shared store: no server is asked for them, and none is woken (ADR 81).

The servers' own routes answer, over what is kept alone; whatever else they say than a result, a server says better.
What they need is imported beside the first requests: it takes longer than all else of the front's start.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive, Scope

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import expected_sha256
from whisper_runtime.front.spool import SpooledBody
from whisper_runtime.http.request_state import KEY, state_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from whisper_runtime.http.kept_app import KeptApp
    from whisper_runtime.service.model_info import ServedModel
    from whisper_runtime.service.rate_limits import ClientRates
    from whisper_runtime.service.result_cache.kept_results import KeptResults
    from whisper_runtime.service.result_cache.metrics import CacheMetrics
    from whisper_runtime.service.result_cache.store import ResultStore
    from whisper_runtime.service.shared.shared_store import SharedStore
    from whisper_runtime.service.transcribe import RequestTranscriber

log = logging.getLogger(__name__)

LOOKED_UP_AT_ONCE: Final = 16
"""Requests; each has some pieces of its body in memory meanwhile."""
FACTS_SECONDS: Final = 10.0
"""For which what servers said of themselves is taken as it was."""


def takes_results(config: RuntimeConfig) -> bool:
    """Whether a front that is configured so can know results: servers leave them in a store, by one checkpoint."""
    has_store = config.redis_url_file is not None and config.result_cache_max_bytes is not None
    return has_store and expected_sha256(config.model, config.model_sha256) is not None


@dataclass(frozen=True)
class OpenedResults:
    store: SharedStore
    results: ResultStore
    rates: ClientRates
    metrics: CacheMetrics
    model: ServedModel
    app: KeptApp


class KeptAnswers:
    """In the event loop's thread."""

    def __init__(self, config: RuntimeConfig, registry: CollectorRegistry) -> None:
        self._config, self._registry = config, registry
        self._opened: OpenedResults | None = None
        self._kept: KeptResults | None = None
        self._asked = 0.0
        """When servers' facts were read, by time.monotonic."""
        self._places = asyncio.Semaphore(LOOKED_UP_AT_ONCE)

    async def keep(self) -> None:
        """Opens the store, and looks after it until it is cancelled."""
        self._opened = await asyncio.to_thread(self._open)
        await self._opened.store.keep()

    @property
    def is_open(self) -> bool:
        """Whether the store is in use here."""
        return self._opened is not None and self._opened.store.is_used

    async def answer(self, scope: Scope, body: SpooledBody) -> list[Message]:
        """The answer by what is kept for the request whose body that is; empty: nothing is kept."""
        opened, found = self._opened, list[Message]()
        if opened is None or not opened.store.is_used:
            return found

        async def send(message: Message) -> None:
            found.append(message)

        async with self._places:
            if await self._knows_servers(opened):
                scope, receive = _for_routes(scope), _receiving(body)
                if (response := await opened.app.answer(scope, receive)) is not None:
                    await response(scope, receive, send)
        return found

    async def _knows_servers(self, opened: OpenedResults) -> bool:
        """Whether it is known under which names servers keep results now."""
        from whisper_runtime.service.result_cache.kept_results import KeptResults
        from whisper_runtime.service.result_cache.serving import ServingFacts, facts_key

        if self._kept is not None and time.monotonic() - self._asked < FACTS_SECONDS:
            return True
        key = facts_key(self._config)
        stored = await opened.results.get(key) if key else None
        try:
            facts = ServingFacts.from_json(stored.content) if stored else None
        except ValueError:  # of a server of another version
            facts = None
        if facts is None:
            self._kept = None
            return False
        opened.model.has_loaded(facts.abilities, facts.precision)
        is_shared = self._config.result_cache_scope == "service"
        self._kept = KeptResults(
            opened.results, opened.results, opened.model, decoder=facts.decoder, is_shared=is_shared
        )
        self._asked = time.monotonic()
        return True

    def _transcriber_of(self, request: Request) -> RequestTranscriber:
        from whisper_runtime.http.cache_control import cache_directives
        from whisper_runtime.service.result_cache.kept_transcriber import KeptTranscriber

        assert self._opened is not None  # the routes are its own
        assert self._kept is not None  # it was before they were asked
        digest = state_of(request.scope).file_digest
        directives = cache_directives(request.headers)
        return KeptTranscriber(self._kept, self._opened.metrics, self._opened.rates, directives, digest)

    def _open(self) -> OpenedResults:
        from whisper_runtime.http.kept_app import KeptApp
        from whisper_runtime.service.model_info import ServedModel
        from whisper_runtime.service.rate_limits import RateLimits
        from whisper_runtime.service.result_cache.metrics import CacheMetrics
        from whisper_runtime.service.result_cache.store import MemoryStore
        from whisper_runtime.service.shared.open import open_store, shared_rates, shared_results

        config = self._config
        assert config.redis_url_file is not None  # takes_results
        assert config.result_cache_max_bytes is not None
        own = RateLimits(config.requests_per_minute, config.audio_minutes_per_hour)
        store = open_store(config, config.redis_url_file, own, self._registry)
        results = shared_results(config, MemoryStore(0, 0), store, config.result_cache_max_bytes)
        model = ServedModel(config)
        if digest := expected_sha256(config.model, config.model_sha256):
            model.has_digest(digest)
        return OpenedResults(
            store,
            results,
            shared_rates(config, own, store),
            CacheMetrics(self._registry, lambda: 0),
            model,
            KeptApp(model, self._transcriber_of),
        )


def _for_routes(scope: Scope) -> Scope:
    """The scope for routes of their own: what they note in it is not the front's."""
    return {**scope, "state": {KEY: replace(state_of(scope))}}


def _receiving(body: SpooledBody) -> Receive:
    """The body as ASGI has it; then the client is there until the application has ended."""
    messages = _messages(body)

    async def receive() -> Message:
        return await anext(messages, None) or await asyncio.Future[Message]()

    return receive


async def _messages(body: SpooledBody) -> AsyncGenerator[Message]:
    async for piece in body.pieces():
        yield {"type": "http.request", "body": piece, "more_body": True}
    yield {"type": "http.request", "body": b"", "more_body": False}
