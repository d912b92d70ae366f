"""The number of pods, and how they are replaced and drained."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import (
    accepted,
    assert_choices,
    assert_longest,
    assert_range,
    letters,
    manifest,
    refused,
    setting,
)
from whisper_operator.api.spec.replicas import AutoscalingSpec, DisruptionSpec, KedaSpec, RolloutSpec


def test_an_autoscaler_keeps_two_to_ten_pods_below_their_memory_and_processors_unless_the_spec_says_otherwise() -> None:
    assert manifest(AutoscalingSpec()) == {
        "minReplicas": 2,
        "maxReplicas": 10,
        "cpu": 70,
        "memory": 80,
        "queuedAudioSeconds": None,
        "behavior": None,
        "keda": None,
    }


def test_keda_has_its_own_defaults_unless_the_spec_says_otherwise() -> None:
    assert manifest(KedaSpec()) == {"pollingInterval": None, "cooldownPeriod": None, "prometheusAddress": None}


def test_a_rollout_is_chosen_by_the_operator_and_drains_for_ten_minutes_unless_the_spec_says_otherwise() -> None:
    assert manifest(RolloutSpec()) == {"strategy": "Auto", "drainTimeout": "10m"}


@pytest.mark.parametrize(
    ("field", "least", "most", "beside"),
    [
        ("autoscaling.minReplicas", 0, 1000, {"maxReplicas": 1000, "keda": {}}),
        ("autoscaling.maxReplicas", 1, 1000, {"minReplicas": 1}),
        ("autoscaling.cpu", 1, 1000, {}),
        ("autoscaling.memory", 1, 1000, {}),
        ("autoscaling.queuedAudioSeconds", 1, 1_000_000, {}),
        ("autoscaling.keda.pollingInterval", 1, 86400, {}),
        ("autoscaling.keda.cooldownPeriod", 0, 86400, {}),
    ],
)
def test_a_number_has_bounds(field: str, least: int, most: int, beside: dict[str, Any]) -> None:
    assert_range(field, least, most, **beside)


def test_pods_are_replaced_by_one_of_three_strategies() -> None:
    assert_choices("rollout.strategy", "Auto", "Surge", "Replace")


@pytest.mark.parametrize("url", ["http://prometheus.monitoring:9090", "https://prometheus.example.com/tenant?a=b"])
def test_keda_asks_a_prometheus_at_a_url(url: str) -> None:
    accepted(**setting("autoscaling.keda.prometheusAddress", url))


@pytest.mark.parametrize("url", ["", "prometheus:9090", "http://", "http://a b", "ftp://prometheus"])
def test_a_prometheus_at_no_url_is_refused(url: str) -> None:
    assert refused(**setting("autoscaling.keda.prometheusAddress", url)) == (
        f"spec.autoscaling.keda.prometheusAddress: {url!r} is not a valid URL; "
        "for example http://prometheus.monitoring:9090"
    )


def test_a_prometheus_has_a_url_of_a_greatest_length() -> None:
    assert_longest("autoscaling.keda.prometheusAddress", 2048, lambda length: "http://" + letters(length - 7))


def test_the_smallest_number_of_pods_may_be_the_largest_too() -> None:
    accepted(autoscaling={"minReplicas": 3, "maxReplicas": 3})


@pytest.mark.parametrize(
    "autoscaling", [{"minReplicas": 3, "maxReplicas": 2}, {"minReplicas": 11}, {"maxReplicas": 1}], ids=str
)
def test_a_smallest_number_above_the_largest_is_refused(autoscaling: dict[str, int]) -> None:
    assert refused(autoscaling=autoscaling) == (
        "spec.autoscaling.minReplicas is larger than maxReplicas: lower minReplicas or raise maxReplicas"
    )


def test_no_pods_at_all_need_keda() -> None:
    accepted(autoscaling={"minReplicas": 0, "keda": {}})
    assert refused(autoscaling={"minReplicas": 0}) == (
        "spec.autoscaling.minReplicas is 0, which only KEDA supports: write 1 or more, or add spec.autoscaling.keda"
    )


@pytest.mark.parametrize("disruption", [{"minAvailable": 1}, {"maxUnavailable": "50%"}, {"minAvailable": 0}], ids=str)
def test_a_budget_has_one_of_its_two_numbers(disruption: dict[str, Any]) -> None:
    accepted(disruption=disruption)


@pytest.mark.parametrize("disruption", [{}, {"minAvailable": 1, "maxUnavailable": 1}], ids=["neither", "both"])
def test_a_budget_with_neither_or_both_is_refused(disruption: dict[str, Any]) -> None:
    assert refused(disruption=disruption) == (
        "spec.disruption needs exactly one of minAvailable and maxUnavailable: set one and remove the other"
    )


def test_the_other_number_of_a_budget_is_absent() -> None:
    assert manifest(DisruptionSpec(min_available=1)) == {"minAvailable": 1, "maxUnavailable": None}
