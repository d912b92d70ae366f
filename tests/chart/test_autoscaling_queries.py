"""What autoscalers are to scale by, computed by Prometheus: KEDA's queries, and the rules for prometheus-adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.operator.samples import children, deployment, observed, one, service
from tests.support.promql import unknown
from tests.support.promtool import assert_values
from whisper_operator.build.autoscaler import WAIT_METRIC
from whisper_runtime.contract.metric_names import (
    FRONT_HELD_AUDIO_METRIC,
    FRONT_HELD_WAIT_METRIC,
    QUEUED_AUDIO_METRIC,
)

VALUES = Path(__file__).resolve().parents[2] / "examples/prometheus-adapter/values.yaml"
RULES: list[dict[str, Any]] = yaml.safe_load(VALUES.read_text())["rules"]["custom"]
BY_NAME = {rule["name"]["as"]: rule for rule in RULES}
LABELS = 'namespace="team",service="speech-metrics"'
FRONT_LABELS = 'namespace="team",service="speech-front-metrics"'
PODS = {"fast": (600, 60), "slow": (300, 10)}
"""Seconds of audio that wait in a pod, and how many it transcribes in a second."""
SERIES = {
    f'{name}{{{LABELS},pod="{pod}"}}': f"{numbers[place]}x5"
    for place, name in enumerate(("whisper_queued_audio_seconds", "whisper_realtime_factor"))
    for pod, numbers in PODS.items()
}


@pytest.mark.parametrize(
    ("target", "value"), [({"averageDuration": "60s"}, 900), ({"averageWait": "30s"}, 40)], ids=str
)
def test_keda_asks_for_the_sum_over_the_pods(target: dict[str, str], value: float, tmp_path: Path) -> None:
    scaling = {
        "metrics": [{"type": "QueuedAudio", "queuedAudio": target}],
        "keda": {"prometheusAddress": "http://prometheus:9090"},
    }
    of = service(autoscaling=scaling, cache={"type": "EmptyDir"})
    (trigger,) = one(children(of, observed(deployment(of))), "ScaledObject")["spec"]["triggers"]
    assert_values(trigger["metadata"]["query"], SERIES, {"{}": value}, tmp_path)


@pytest.mark.parametrize(
    ("target", "value"), [({"averageDuration": "60s"}, 960), ({"averageWait": "30s"}, 40 + 60 / 35)], ids=str
)
def test_what_waits_at_the_front_is_in_the_sum(target: dict[str, str], value: float, tmp_path: Path) -> None:
    """Where there is a front, next to nothing waits at the pods. One takes as long as the mean of them."""
    scaling = {
        "metrics": [{"type": "QueuedAudio", "queuedAudio": target}],
        "keda": {"prometheusAddress": "http://prometheus:9090"},
    }
    of = service(autoscaling=scaling, front={}, cache={"type": "EmptyDir"})
    (trigger,) = one(children(of, observed(deployment(of))), "ScaledObject")["spec"]["triggers"]
    fronts = {f'whisper_front_held_audio_seconds{{{FRONT_LABELS},pod="{pod}"}}': "30x5" for pod in ("a", "b")}
    query = trigger["metadata"]["query"]
    assert unknown(query) == []
    assert_values(query, {**SERIES, **fronts}, {"{}": value}, tmp_path)
    assert_values(query, fronts, {"{}": 60 if "averageDuration" in target else 0}, tmp_path)


def test_the_adapter_serves_what_autoscalers_are_given() -> None:
    asked = {
        metric[kind]["metric"]["name"]
        for target in ("averageDuration", "averageWait")
        for metric in autoscaler(metrics=[{"type": "QueuedAudio", "queuedAudio": {target: "30s"}}])["metrics"]
        for kind in ("pods", "object")
        if kind in metric
    }
    assert {rule["name"]["as"] for rule in RULES} == asked
    assert [missing for rule in RULES for missing in unknown(rule["seriesQuery"])] == []


@pytest.mark.parametrize(
    ("rule", "values"),
    [(BY_NAME[QUEUED_AUDIO_METRIC], {"fast": 600, "slow": 300}), (BY_NAME[WAIT_METRIC], {"fast": 10, "slow": 30})],
    ids=[QUEUED_AUDIO_METRIC, WAIT_METRIC],
)
def test_the_adapters_rules_give_a_value_for_each_pod(
    rule: dict[str, Any], values: dict[str, float], tmp_path: Path
) -> None:
    matchers = 'namespace="team",pod=~"fast|slow"'
    query = rule["metricsQuery"].replace("<<.LabelMatchers>>", matchers).replace("<<.GroupBy>>", "pod")
    assert unknown(query) == []
    assert_values(query, SERIES, {f'{{pod="{pod}"}}': value for pod, value in values.items()}, tmp_path)


@pytest.mark.parametrize("name", [FRONT_HELD_AUDIO_METRIC, FRONT_HELD_WAIT_METRIC])
def test_the_adapters_rules_add_up_the_pods_of_a_front(name: str, tmp_path: Path) -> None:
    (metric,) = (
        one["object"]
        for target in ("averageDuration", "averageWait")
        for one in autoscaler(metrics=[{"type": "QueuedAudio", "queuedAudio": {target: "30s"}}])["metrics"]
        if one["type"] == "Object" and one["object"]["metric"]["name"] == name
    )
    rule, described = BY_NAME[name], metric["describedObject"]["name"]
    query = rule["metricsQuery"].replace("<<.LabelMatchers>>", FRONT_LABELS).replace("<<.GroupBy>>", "service")
    assert unknown(query) == []
    fronts = {f'{name}{{{FRONT_LABELS},pod="{pod}"}}': "30x5" for pod in ("a", "b")}
    assert_values(query, fronts, {f'{{service="{described}"}}': 60}, tmp_path)


def autoscaler(**scaling: Any) -> dict[str, Any]:
    """Of a service that has a front."""
    of = service(autoscaling=scaling, front={}, cache={"type": "EmptyDir"})
    return one(children(of), "HorizontalPodAutoscaler")["spec"]
