"""Puts the shared store of one process together, and what it counts there."""

from __future__ import annotations

from typing import Final

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.metrics import Metrics
from whisper_runtime.service.rate_limits import ClientRates, RateLimits
from whisper_runtime.service.shared.bucket_program import key_of, key_pattern, taking
from whisper_runtime.service.shared.shared_rates import SharedRates
from whisper_runtime.service.shared.shared_store import SharedStore
from whisper_runtime.service.shared.store_metrics import StoreMetrics

TRIAL: Final = "(trial)"
"""The client of calls that try the store; none has parentheses in its name."""


def open_shared(
    config: RuntimeConfig, url_file: str, own: RateLimits, metrics: Metrics
) -> tuple[ClientRates, SharedStore]:
    """The rates that are counted in the store whose URL the file has, and that store; `own`: for while it is away."""
    prefix = config.redis_prefix
    trial = taking(key_of(prefix, TRIAL), own, decides=False)
    store = SharedStore(url_file, config.redis_ca_file, trial, key_pattern(prefix), StoreMetrics(metrics.registry))
    has_limits = own.requests_capacity or own.audio_capacity
    return (SharedRates(own, store, prefix) if has_limits else own), store
