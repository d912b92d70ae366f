"""Each event of the engine is counted under its own name."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from tests.runtime.conftest import PartsOf, Start, speech
from tests.support.samples import value
from whisper_runtime.engine.interface import Observer
from whisper_runtime.metrics.engine import EngineMetrics


def test_events_of_the_engine_are_counted() -> None:
    registry = CollectorRegistry()
    observer: Observer = EngineMetrics(registry)
    observer.stage("encode", 0.5)
    observer.batch(rows=2, capacity=8)
    observer.fallback()
    observer.no_speech()
    observer.cancelled()
    observer.split()
    assert value(registry, "whisper_stage_duration_seconds_sum", stage="encode") == 0.5
    assert value(registry, "whisper_batch_fill_ratio_sum") == 0.25
    for name in ("fallbacks", "no_speech", "cancellations", "batch_splits"):
        assert value(registry, f"whisper_{name}_total") == 1


async def test_decoding_media_is_a_stage_too(start: Start, parts_of: PartsOf) -> None:
    parts = parts_of()
    await start(parts).post("/transcribe", files=speech())
    assert value(parts.metrics.registry, "whisper_stage_duration_seconds_count", stage="decode") == 1
