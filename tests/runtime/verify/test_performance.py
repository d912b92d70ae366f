"""The measurement: percentiles by nearest rank, and no figures where nothing was transcribed."""

from __future__ import annotations

import pytest

from tests.runtime.verify.conftest import CannedClient, target
from whisper_runtime.verify.performance import measure, percentile


@pytest.mark.parametrize(
    ("values", "share", "wanted"),
    [([3.0], 0.5, 3.0), ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0), ([1.0, 2.0, 3.0, 4.0], 0.95, 4.0), ([2.0, 1.0], 0.01, 1.0)],
)
def test_percentiles_are_by_nearest_rank(values: list[float], share: float, wanted: float) -> None:
    assert percentile(values, share) == wanted


def test_every_request_is_counted_and_measured() -> None:
    check, performance = measure(target(CannedClient()), requests=3, concurrency=2)
    assert (check.name, check.passed, check.message) == ("all-answered", True, "3 of 3")
    assert performance is not None
    assert (performance.requests, performance.concurrency) == (3, 2)
    assert (performance.p50_seconds, performance.p95_seconds) == (0.5, 0.5)


def test_where_nothing_is_transcribed_there_is_no_measurement() -> None:
    check, performance = measure(target(CannedClient(status=503)), requests=2, concurrency=1)
    assert (check.passed, check.message) == (False, "0 of 2; answered 503")
    assert performance is None
