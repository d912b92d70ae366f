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
from whisper_runtime.contract.metric_names import QUEUED_AUDIO_METRIC

VALUES = Path(__file__).resolve().parents[2] / "examples/prometheus-adapter/values.yaml"
RULES: list[dict[str, Any]] = yaml.safe_load(VALUES.read_text())["rules"]["custom"]
LABELS = 'namespace="team",service="speech-metrics"'
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


def test_the_adapter_serves_what_autoscalers_are_given() -> None:
    assert [rule["name"]["as"] for rule in RULES] == [QUEUED_AUDIO_METRIC, WAIT_METRIC]
    assert [missing for rule in RULES for missing in unknown(rule["seriesQuery"])] == []


@pytest.mark.parametrize(
    ("rule", "values"),
    [(RULES[0], {"fast": 600, "slow": 300}), (RULES[1], {"fast": 10, "slow": 30})],
    ids=[QUEUED_AUDIO_METRIC, WAIT_METRIC],
)
def test_the_adapters_rules_give_a_value_for_each_pod(
    rule: dict[str, Any], values: dict[str, float], tmp_path: Path
) -> None:
    matchers = 'namespace="team",pod=~"fast|slow"'
    query = rule["metricsQuery"].replace("<<.LabelMatchers>>", matchers).replace("<<.GroupBy>>", "pod")
    assert unknown(query) == []
    assert_values(query, SERIES, {f'{{pod="{pod}"}}': value for pod, value in values.items()}, tmp_path)
