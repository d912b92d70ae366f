"""An autoscaler: its numbers, and the list of its metrics."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import accepted, assert_longest, assert_range, manifest, problem, refused
from whisper_operator.api.spec.autoscaling import (
    AutoscalingSpec,
    CpuTarget,
    ExternalTarget,
    MemoryTarget,
    MetricSpec,
    QueuedAudioTarget,
)

BACKLOG = {"type": "External", "external": {"metricName": "backlog", "averageValue": "30"}}
OBJECT = {"apiVersion": "v1", "kind": "Service", "name": "speech"}
OF_OBJECT = {"type": "Object", "object": {"describedObject": OBJECT, "metricName": "hits", "value": 2}}
OF_PODS = {"type": "Pods", "pods": {"metricName": "saturation", "averageValue": "800m"}}
MISFIT = "a metric has the field that its type names and no other"


def test_an_autoscaler_keeps_two_to_ten_pods_unless_the_spec_says_otherwise() -> None:
    assert manifest(AutoscalingSpec()) == {
        "minReplicas": 2,
        "maxReplicas": 10,
        "scaleToZeroAfter": None,
        "metrics": None,
        "behavior": None,
        "keda": None,
    }


def test_three_metrics_have_targets_unless_the_spec_says_otherwise() -> None:
    assert manifest(CpuTarget()) == {"averageUtilization": 70}
    assert manifest(MemoryTarget()) == {"averageUtilization": 80}
    assert manifest(QueuedAudioTarget()) == {"averageDuration": "60s", "averageWait": None}


@pytest.mark.parametrize(
    ("field", "least", "most", "beside"),
    [
        ("autoscaling.minReplicas", 0, 1000, {"maxReplicas": 1000, "metrics": [BACKLOG]}),
        ("autoscaling.maxReplicas", 1, 1000, {"minReplicas": 1}),
    ],
)
def test_a_number_has_bounds(field: str, least: int, most: int, beside: dict[str, Any]) -> None:
    assert_range(field, least, most, **beside)


@pytest.mark.parametrize("target", [CpuTarget, MemoryTarget])
def test_a_share_of_the_request_has_bounds(target: type) -> None:
    for bound in (1, 1000):
        target(average_utilization=bound)
    for beyond in (0, 1001):
        assert "should be" in problem(target, {"averageUtilization": beyond})


def test_the_smallest_number_of_pods_may_be_the_largest_too() -> None:
    accepted(autoscaling={"minReplicas": 3, "maxReplicas": 3})


@pytest.mark.parametrize(
    "autoscaling", [{"minReplicas": 3, "maxReplicas": 2}, {"minReplicas": 11}, {"maxReplicas": 1}], ids=str
)
def test_a_smallest_number_above_the_largest_is_refused(autoscaling: dict[str, int]) -> None:
    assert refused(autoscaling=autoscaling) == (
        "spec.autoscaling.minReplicas is larger than maxReplicas: lower minReplicas or raise maxReplicas"
    )


@pytest.mark.parametrize(
    "metrics",
    [
        [{"type": "CPU"}],
        [{"type": "Memory", "memory": {"averageUtilization": 90}}, {"type": "CPU", "cpu": {}}],
        [{"type": "QueuedAudio", "queuedAudio": {"averageDuration": "2m"}}],
        [BACKLOG, {**BACKLOG, "name": "second"}, OF_OBJECT, OF_PODS],
    ],
)
def test_metrics_are_listed_one_by_one(metrics: list[dict[str, Any]]) -> None:
    scaling = accepted(autoscaling={"metrics": metrics}).autoscaling
    assert scaling is not None
    assert [metric.type for metric in scaling.metrics or ()] == [metric["type"] for metric in metrics]


@pytest.mark.parametrize(
    "metric",
    [
        {"type": "CPU", "memory": {}},
        {"type": "CPU", "cpu": {}, "memory": {}},
        {"type": "Pods"},
        {"type": "External", "pods": OF_PODS["pods"]},
        {**BACKLOG, "cpu": {}},
    ],
    ids=str,
)
def test_a_metric_has_the_field_of_its_type_alone(metric: dict[str, Any]) -> None:
    assert MISFIT in refused(autoscaling={"metrics": [metric]})


def test_a_metric_is_of_a_known_type() -> None:
    assert "Input should be 'CPU', 'Memory'" in refused(autoscaling={"metrics": [{"type": "Cpu"}]})


@pytest.mark.parametrize("second", [{"type": "CPU"}, BACKLOG], ids=["CPU", "External"])
def test_no_two_metrics_have_one_type_and_name(second: dict[str, Any]) -> None:
    assert refused(autoscaling={"metrics": [BACKLOG, {"type": "CPU"}, second]}) == (
        "spec.autoscaling.metrics has two of the same type and name: remove one, or give those of the type Pods, "
        "Object or External names of their own"
    )


def test_a_metric_that_occurs_once_has_no_name() -> None:
    assert "for the others occur once: remove it" in refused(autoscaling={"metrics": [{"type": "CPU", "name": "a"}]})


@pytest.mark.parametrize("target", [{}, {"value": 1, "averageValue": 1}], ids=["neither", "both"])
def test_an_external_metric_has_one_target(target: dict[str, int]) -> None:
    metric = {"type": "External", "external": {"metricName": "a", **target}}
    assert "needs exactly one of value and averageValue" in refused(autoscaling={"metrics": [metric]})


@pytest.mark.parametrize(("target", "amount"), [("value", 0), ("averageValue", "0"), ("value", "0m")])
def test_a_target_is_more_than_nothing(target: str, amount: str | int) -> None:
    assert f"{target} is 0" in problem(ExternalTarget, {"metricName": "a", target: amount})


@pytest.mark.parametrize("name", ["a/b", "a b", "50%", ".", "..", ""])
def test_a_metric_name_is_part_of_a_path(name: str) -> None:
    assert "is not a valid name of a metric" in problem(ExternalTarget, {"metricName": name, "value": 1})


def test_a_metric_name_of_a_cloud_is_accepted() -> None:
    ExternalTarget(metric_name="pubsub.googleapis.com|subscription|num_undelivered_messages", value=1)


def test_metrics_are_sixteen_at_most() -> None:
    assert_longest("autoscaling.metrics", 16, lambda count: [{**BACKLOG, "name": f"a{one}"} for one in range(count)])


def test_an_autoscaler_needs_something_to_go_by() -> None:
    assert "spec.autoscaling.metrics is empty" in refused(autoscaling={"metrics": []})
    assert "spec.autoscaling.metrics is empty" in refused(autoscaling={"metrics": [], "keda": {}})
    cron = {"name": "day", "type": "cron", "metadata": {}}
    accepted(autoscaling={"metrics": [], "keda": {"triggers": [cron]}})


CRON = {"triggers": [{"name": "day", "type": "cron", "metadata": {}}]}


@pytest.mark.parametrize(
    ("autoscaling", "is_operators"),
    [
        ({"minReplicas": 0}, True),
        ({"minReplicas": 0, "metrics": [{"type": "CPU"}, OF_PODS]}, True),
        ({"minReplicas": 1}, False),
        ({"minReplicas": 0, "metrics": [{"type": "CPU"}, BACKLOG]}, False),
        ({"minReplicas": 0, "metrics": [OF_OBJECT]}, False),
        ({"minReplicas": 0, "keda": CRON}, False),
    ],
    ids=["none", "none, by pods", "one", "External", "Object", "KEDA"],
)
def test_the_first_pod_is_the_operators_to_start_where_nothing_else_of_the_spec_is_to(
    autoscaling: dict[str, Any], is_operators: bool
) -> None:
    found = accepted(autoscaling=autoscaling).autoscaling
    assert found is not None
    assert found.is_woken_by_operator is is_operators


@pytest.mark.parametrize(
    "others",
    [{"minReplicas": 1}, {"metrics": [BACKLOG]}, {"metrics": [OF_OBJECT]}, {"keda": CRON}],
    ids=["one pod", "External", "Object", "KEDA"],
)
def test_a_time_to_zero_is_for_what_the_operator_scales(others: dict[str, Any]) -> None:
    accepted(autoscaling={"minReplicas": 0, "scaleToZeroAfter": "90s"})
    assert "is for a service that the operator itself scales to zero pods" in refused(
        autoscaling={"minReplicas": 0, "scaleToZeroAfter": "90s", **others}
    )


@pytest.mark.parametrize("metric", [BACKLOG, OF_OBJECT, OF_PODS], ids=lambda metric: metric["type"])
def test_keda_has_triggers_in_the_place_of_others_metrics(metric: dict[str, Any]) -> None:
    assert "which KEDA reads by triggers instead" in refused(autoscaling={"metrics": [metric], "keda": {}})


@pytest.mark.parametrize(
    ("metrics", "keda"),
    [
        ([{"type": "QueuedAudio"}], {}),
        ([{"type": "CPU"}], {"prometheusAddress": "http://prometheus:9090"}),
        ([{"type": "CPU"}], {"prometheusAddress": "http://prometheus:9090", "onDemand": True}),
    ],
    ids=["no Prometheus", "no metric", "no metric, and a front"],
)
def test_keda_reads_the_queue_from_a_prometheus(metrics: list[dict[str, Any]], keda: dict[str, Any]) -> None:
    assert "need each other" in refused(autoscaling={"metrics": metrics, "keda": keda})


@pytest.mark.parametrize("more", [{}, {"prometheusAddress": "http://prometheus:9090"}], ids=str)
def test_keda_reads_the_queue_from_a_front(more: dict[str, Any]) -> None:
    accepted(autoscaling={"metrics": [{"type": "QueuedAudio"}], "keda": {"onDemand": True, **more}})


def test_each_type_of_metric_has_a_field() -> None:
    types = set(MetricSpec.model_json_schema()["properties"]["type"]["enum"])
    assert types == {"CPU", "Memory", "QueuedAudio", "Pods", "Object", "External"}
