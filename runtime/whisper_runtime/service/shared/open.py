"""Puts the shared store of one process together, and what it keeps and counts there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.service.rate_limits import ClientRates, RateLimits
from whisper_runtime.service.result_cache.cache import PodTurns
from whisper_runtime.service.result_cache.store import ResultStore
from whisper_runtime.service.shared import fact_program
from whisper_runtime.service.shared.bucket_program import key_of, taking
from whisper_runtime.service.shared.job_program import job_call
from whisper_runtime.service.shared.object_bucket import ObjectBucket, place_of
from whisper_runtime.service.shared.program_call import ProgramCall
from whisper_runtime.service.shared.result_program import keeping
from whisper_runtime.service.shared.shared_flights import SharedFlights
from whisper_runtime.service.shared.shared_rates import SharedRates
from whisper_runtime.service.shared.shared_results import SharedResults
from whisper_runtime.service.shared.shared_store import SharedStore
from whisper_runtime.service.shared.store_metrics import StoreMetrics

TRIAL: Final = "(trial)"
"""The client, and the result, of calls that try the store; none has parentheses in its name."""


def open_store(
    config: RuntimeConfig,
    url_file: str,
    own: RateLimits,
    registry: CollectorRegistry,
    facts: Callable[[], tuple[str, bytes] | None] = lambda: None,
) -> SharedStore:
    """The store whose URL the file has; `own`: the limits that are counted there.

    `facts`: those that are left there for fronts, by their name; None: none yet.
    """
    prefix = config.redis_prefix
    trials = [taking(key_of(prefix, TRIAL), own, decides=False)]
    if config.result_cache_max_bytes is not None:
        trials.append(keeping(prefix, TRIAL, b"-", 1, config.result_cache_max_bytes))
    if has_jobs := config.jobs_store == "redis":
        trials.append(job_call(prefix, "try"))
    trials += [fact_program.leaving(prefix, TRIAL, b""), fact_program.finding(prefix, TRIAL)]

    def leaves() -> ProgramCall | None:
        return fact_program.leaving(prefix, *found) if (found := facts()) else None

    counted = StoreMetrics(registry)
    bucket = ObjectBucket(place) if (place := place_of(config)) else None
    return SharedStore(
        url_file, config.redis_ca_file, prefix, trials, counted, has_jobs=has_jobs, bucket=bucket, leaves=leaves
    )


def shared_rates(config: RuntimeConfig, own: RateLimits, store: SharedStore) -> ClientRates:
    """The rates that are counted in the store; `own`: for while it is away."""
    has_limits = own.requests_capacity or own.audio_capacity
    return SharedRates(own, store, config.redis_prefix) if has_limits else own


def shared_flights(config: RuntimeConfig, store: SharedStore) -> PodTurns:
    """Turns that the processes with one store take at running the model for the same result."""
    return SharedFlights(store, config.redis_prefix)


def shared_results(config: RuntimeConfig, own: ResultStore, store: SharedStore, max_bytes: int) -> ResultStore:
    """The results that are kept in the store, within `max_bytes`; `own`: for while it is away."""
    return SharedResults(own, store, config.redis_prefix, max_bytes, config.result_cache_seconds)
