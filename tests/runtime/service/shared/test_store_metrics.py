"""Prometheus sees whether a pod counts in the store, why it stopped, and how long the store takes."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from whisper_runtime.contract.shared_store import SharedStoreReport, StoreReason
from whisper_runtime.service.shared.shared_store import WAITS_SECONDS
from whisper_runtime.service.shared.store_metrics import BUCKETS, StoreMetrics


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> StoreMetrics:
    return StoreMetrics(registry)


def failures(registry: CollectorRegistry) -> dict[str, float]:
    """How many there were, by reason."""
    return {
        sample.labels["reason"]: sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "whisper_store_failures_total"
    }


def below(registry: CollectorRegistry, seconds: float) -> float | None:
    """Calls that took no longer than a bucket's bound."""
    return registry.get_sample_value("whisper_store_duration_seconds_bucket", {"le": str(seconds)})


def test_a_pod_that_has_not_tried_the_store_counts_for_itself_and_has_not_failed(
    registry: CollectorRegistry, metrics: StoreMetrics
) -> None:
    assert registry.get_sample_value("whisper_store_in_use") == 0
    assert failures(registry) == {}


@pytest.mark.parametrize("reason", ["StoreInUse", "StoreEvicts"])
def test_a_store_that_is_used_is_no_failure(
    registry: CollectorRegistry, metrics: StoreMetrics, reason: StoreReason
) -> None:
    metrics.reported(SharedStoreReport(reason=reason))
    assert registry.get_sample_value("whisper_store_in_use") == 1
    assert failures(registry) == {}


def test_each_failure_counts_by_its_reason_and_none_is_left_out_of_use_once_it_is_over(
    registry: CollectorRegistry, metrics: StoreMetrics
) -> None:
    reasons: tuple[StoreReason, ...] = ("StoreInUse", "StoreUnreachable", "StoreUnreachable", "StoreFull")
    for reason in reasons:
        metrics.reported(SharedStoreReport(reason=reason))
    assert registry.get_sample_value("whisper_store_in_use") == 0
    metrics.reported(SharedStoreReport(reason="StoreInUse"))
    assert registry.get_sample_value("whisper_store_in_use") == 1
    assert failures(registry) == {"StoreUnreachable": 2, "StoreFull": 1}


def test_a_call_counts_in_the_buckets_from_its_time_on(registry: CollectorRegistry, metrics: StoreMetrics) -> None:
    metrics.answered(0.0007)
    assert [below(registry, bound) for bound in BUCKETS] == [0, 0, *[1] * (len(BUCKETS) - 2)]
    assert registry.get_sample_value("whisper_store_duration_seconds_sum") == pytest.approx(0.0007)


def test_the_last_bucket_ends_where_calls_are_given_up() -> None:
    assert BUCKETS[-1] == pytest.approx(sum(WAITS_SECONDS))
