"""The metrics of a cache of results."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from whisper_runtime.service.result_cache.metrics import OUTCOMES, CacheMetrics


def test_every_outcome_has_a_series_from_the_start() -> None:
    registry = CollectorRegistry()
    CacheMetrics(registry, lambda: 512)
    for outcome in OUTCOMES:
        assert registry.get_sample_value("whisper_result_cache_requests_total", {"outcome": outcome}) == 0
    assert b"\nwhisper_result_cache_bytes 512.0\n" in generate_latest(registry)


def test_what_was_saved_adds_up() -> None:
    registry = CollectorRegistry()
    metrics = CacheMetrics(registry, lambda: 0)
    metrics.requested("hit")
    metrics.saved(audio_seconds=600, model_seconds=2.5)
    metrics.saved(audio_seconds=60, model_seconds=0.5)
    assert registry.get_sample_value("whisper_result_cache_requests_total", {"outcome": "hit"}) == 1
    assert registry.get_sample_value("whisper_result_cache_saved_audio_seconds_total") == 660
    assert registry.get_sample_value("whisper_result_cache_saved_model_seconds_total") == 3
