"""A kept result comes as its first reader got it, and its headers say what it is."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from tests.fakes.engine import SPOKEN
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.disk_quota import DiskQuota
from whisper_runtime.service.fair_share import FairShare
from whisper_runtime.service.rate_limits import RateLimits
from whisper_runtime.service.result_cache.content import Hit, KnownResult
from whisper_runtime.service.result_cache.metrics import CacheMetrics
from whisper_runtime.service.result_cache.replay import note_outcome, replay

HIT = Hit(KnownResult(SPOKEN, (1,), 0.25), age=7.9, seconds_left=52.1)


@pytest.fixture
def admitted() -> Admitted:
    shares = FairShare()
    return Admitted(shares.take("alice", 1), shares, RateLimits(None, None), DiskQuota(1000, lambda: 1), 1000)


async def test_age_and_rest_are_whole_seconds_and_what_was_saved_is_counted(admitted: Admitted) -> None:
    registry = CollectorRegistry()
    assert replay(HIT, admitted, CacheMetrics(registry, float), None) is SPOKEN
    assert admitted.headers == {"Cache-Status": "whisper; hit; ttl=52", "Age": "7"}
    assert registry.get_sample_value("whisper_result_cache_saved_audio_seconds_total") == SPOKEN.audio_seconds
    assert registry.get_sample_value("whisper_result_cache_saved_model_seconds_total") == 0.25


def test_what_else_the_cache_did_is_said_without_an_age(admitted: Admitted) -> None:
    registry = CollectorRegistry()
    note_outcome(admitted, CacheMetrics(registry, float), "bypass", "fwd=bypass")
    assert admitted.headers == {"Cache-Status": "whisper; fwd=bypass"}
    assert registry.get_sample_value("whisper_result_cache_requests_total", {"outcome": "bypass"}) == 1
