"""A process's metrics are its own."""

from __future__ import annotations

from tests.support.samples import value
from whisper_runtime.metrics.served import Metrics


def test_two_never_share_counts() -> None:
    one, other = Metrics("base"), Metrics("base")
    one.engine.fallback()
    assert [value(each.registry, "whisper_fallbacks_total") for each in (one, other)] == [1, 0]
