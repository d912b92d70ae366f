"""The store that servers share, as a front uses it: what they say of themselves there (ADRs 81, 112).

What it needs is imported beside the first requests: it takes longer than all else of the front's start.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import expected_sha256

if TYPE_CHECKING:
    from whisper_runtime.service.model_info import ServedModel
    from whisper_runtime.service.rate_limits import ClientRates
    from whisper_runtime.service.serving_facts import ServingFacts
    from whisper_runtime.service.shared.shared_store import SharedStore

FACTS_SECONDS: Final = 10.0
"""For which what servers said of themselves is taken as it was."""


def knows_servers(config: RuntimeConfig) -> bool:
    """Whether a front that is configured so can find out what servers are: they have a store, and one checkpoint."""
    return config.redis_url_file is not None and expected_sha256(config.model, config.model_sha256) is not None


@dataclass(frozen=True)
class UsableStore:
    shared: SharedStore
    rates: ClientRates
    model: ServedModel


class FrontStore:
    """In the event loop's thread."""

    def __init__(self, config: RuntimeConfig, registry: CollectorRegistry) -> None:
        self.config, self.registry = config, registry
        self._opened: UsableStore | None = None
        self._on_open = list[Callable[[UsableStore], None]]()
        self._facts: ServingFacts | None = None
        self._asked = -math.inf
        """When servers' facts were read, by time.monotonic."""

    def on_open(self, then: Callable[[UsableStore], None]) -> None:
        """Has `then` called once, in the thread that opens the store, before that is in use."""
        self._on_open.append(then)

    async def keep(self) -> None:
        """Opens the store, and looks after it until it is cancelled."""
        self._opened = await asyncio.to_thread(self._open)
        await self._opened.shared.keep()

    @property
    def in_use(self) -> UsableStore | None:
        """None: it is not open yet, or not as it must be."""
        return self._opened if self._opened and self._opened.shared.is_used else None

    async def facts(self, opened: UsableStore) -> ServingFacts | None:
        """What servers of this configuration are, which the opened store's model is told; None: none has said so."""
        if self._facts is None or time.monotonic() - self._asked >= FACTS_SECONDS:
            self._facts = await self._find(opened)
            self._asked = time.monotonic()
        return self._facts

    async def _find(self, opened: UsableStore) -> ServingFacts | None:
        from whisper_runtime.service.serving_facts import ServingFacts, facts_key
        from whisper_runtime.service.shared.fact_program import finding

        name = facts_key(self.config)
        assert name is not None  # knows_servers
        if not (reply := await opened.shared.call(finding(self.config.redis_prefix, name))):
            return None
        try:
            found = ServingFacts.from_json(bytes(reply[0]))
        except ValueError:  # of a server of another version
            return None
        opened.model.has_loaded(found.abilities, found.precision)
        return found

    def _open(self) -> UsableStore:
        from whisper_runtime.service.model_info import ServedModel
        from whisper_runtime.service.rate_limits import RateLimits
        from whisper_runtime.service.shared.open import open_store, shared_rates

        config = self.config
        assert config.redis_url_file is not None  # knows_servers
        own = RateLimits(config.requests_per_minute, config.audio_minutes_per_hour)
        shared = open_store(config, config.redis_url_file, own, self.registry)
        model = ServedModel(config)
        if digest := expected_sha256(config.model, config.model_sha256):
            model.has_digest(digest)
        opened = UsableStore(shared, shared_rates(config, own, shared), model)
        for then in self._on_open:
            then(opened)
        return opened
