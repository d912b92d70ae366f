"""The metrics of a cache of results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge

from whisper_runtime.contract.metric_names import (
    RESULT_CACHE_AUDIO_METRIC,
    RESULT_CACHE_BYTES_METRIC,
    RESULT_CACHE_MODEL_METRIC,
    RESULT_CACHE_REQUESTS_METRIC,
)

Outcome = Literal["hit", "join", "miss", "bypass"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)


class CacheMetrics:
    def __init__(self, registry: CollectorRegistry, used_bytes: Callable[[], float]) -> None:
        """`used_bytes` are those of memory; read when Prometheus asks, from the thread of the probes."""
        self._requests = Counter(
            RESULT_CACHE_REQUESTS_METRIC,
            "Requests by what the cache of results had for them: a result (hit), a transcription that was under way "
            "(join), nothing (miss), or nothing to do with them (bypass).",
            ["outcome"],
            registry=registry,
        )
        for outcome in OUTCOMES:
            self._requests.labels(outcome)
        self._audio = Counter(
            RESULT_CACHE_AUDIO_METRIC, "Seconds of audio that hits and joins did not transcribe.", registry=registry
        )
        self._model = Counter(
            RESULT_CACHE_MODEL_METRIC,
            "Seconds of the model, at the speed of all its rows, that hits and joins did not take.",
            registry=registry,
        )
        Gauge(RESULT_CACHE_BYTES_METRIC, "Memory that kept results take.", registry=registry).set_function(used_bytes)

    def requested(self, outcome: Outcome) -> None:
        self._requests.labels(outcome).inc()

    def saved(self, audio_seconds: float, model_seconds: float) -> None:
        self._audio.inc(audio_seconds)
        self._model.inc(model_seconds)
