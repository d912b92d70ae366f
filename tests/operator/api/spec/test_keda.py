"""KEDA: its triggers, their credentials, and what holds when they fail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import accepted, assert_longest, letters, manifest, problem, refused, setting
from whisper_operator.api.spec.front import FrontSpec
from whisper_operator.api.spec.keda import KedaAuthenticationRef, KedaFallback, KedaSpec, KedaTrigger

CACHED = {"useCachedMetrics": True}
PROMETHEUS = {"prometheusAddress": "http://prometheus.monitoring:9090"}


def trigger(**fields: Any) -> dict[str, Any]:
    return {"name": "day", "type": "cron", "metadata": {"timezone": "UTC"}, **fields}


def test_keda_has_its_own_defaults_unless_the_spec_says_otherwise() -> None:
    assert manifest(KedaSpec()) == {
        "pollingInterval": None,
        "cooldownPeriod": None,
        "onDemand": False,
        "prometheusAddress": None,
        "authenticationRef": None,
        "authModes": [],
        "triggers": [],
        "fallback": None,
        "advanced": None,
    }
    assert manifest(KedaFallback(replicas=2)) == {"failureThreshold": 3, "replicas": 2, "behavior": None}
    assert manifest(KedaAuthenticationRef(name="a"))["kind"] == "TriggerAuthentication"


@pytest.mark.parametrize("field", ["pollingInterval", "cooldownPeriod"])
def test_times_are_durations(field: str) -> None:
    accepted(**setting(f"autoscaling.keda.{field}", "1m30s"))
    assert f"spec.autoscaling.keda.{field}: " in refused(**setting(f"autoscaling.keda.{field}", 30))


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


@pytest.mark.parametrize("triggers", [[], [trigger(type="cpu")], [trigger(type="memory")]], ids=str)
def test_no_pods_at_all_need_a_trigger_beside_cpu_and_memory(triggers: list[dict[str, Any]]) -> None:
    assert "which KEDA refuses where all triggers are on CPU and memory" in refused(
        autoscaling={"minReplicas": 0, "keda": {"triggers": triggers}}
    )


def test_a_service_that_keda_wakes_on_demand_has_a_front() -> None:
    assert accepted(autoscaling={"minReplicas": 0, "keda": {"onDemand": True}}).wanted_front == FrontSpec()
    assert accepted(autoscaling={"minReplicas": 0, "keda": PROMETHEUS}).wanted_front is None


@pytest.mark.parametrize(
    "keda", [PROMETHEUS, {"onDemand": True}, {"triggers": [trigger(type="cpu"), trigger(name="b")]}], ids=str
)
def test_no_pods_at_all_are_accepted_with_such_a_trigger(keda: dict[str, Any]) -> None:
    accepted(autoscaling={"minReplicas": 0, "keda": keda})


@pytest.mark.parametrize("name", ["office-hours", "1", "", "a b"])
def test_a_trigger_has_a_name_that_a_formula_can_read(name: str) -> None:
    assert "is not a valid name of a trigger" in problem(KedaTrigger, trigger(name=name))


def test_no_two_triggers_have_one_name() -> None:
    assert "name day occurs more than once" in refused(autoscaling={"keda": {"triggers": [trigger(), trigger()]}})


def test_the_operators_own_trigger_keeps_its_name() -> None:
    for name in ("queuedAudio", "demand"):
        assert "are the names of the operator's own triggers" in problem(KedaTrigger, trigger(name=name))


@pytest.mark.parametrize("kind", ["cpu", "memory", "cron"])
def test_metrics_that_keda_does_not_keep_are_not_asked_for_from_there(kind: str) -> None:
    assert "refuses useCachedMetrics there: remove it" in problem(
        KedaTrigger, trigger(type=kind, useCachedMetrics=True)
    )
    accepted(autoscaling={"keda": {"triggers": [trigger(type=kind), trigger(name="queue", type="kafka", **CACHED)]}})


def test_the_settings_of_a_trigger_are_strings() -> None:
    assert "should be a valid string" in problem(KedaTrigger, trigger(metadata={"desiredReplicas": 4}))


def test_triggers_are_sixteen_at_most() -> None:
    assert_longest("autoscaling.keda.triggers", 16, lambda count: [trigger(name=f"a{one}") for one in range(count)])


def test_credentials_are_for_a_prometheus() -> None:
    given = {"authenticationRef": {"name": "a"}, "authModes": ["tls", "bearer"]}
    accepted(autoscaling={"keda": {**PROMETHEUS, **given}})
    assert "which is absent" in refused(autoscaling={"keda": given})
    assert "needs authenticationRef" in refused(autoscaling={"keda": {**PROMETHEUS, "authModes": ["tls"]}})


@pytest.mark.parametrize(
    "part",
    [{"fallback": {"replicas": 2}}, {"advanced": {"scalingModifiers": {"formula": "day", "target": "1"}}}],
    ids=str,
)
def test_what_needs_another_trigger_than_cpu_and_memory_says_so(part: dict[str, Any]) -> None:
    accepted(autoscaling={"keda": {**part, "triggers": [trigger()]}})
    accepted(autoscaling={"keda": {**part, **PROMETHEUS}})
    accepted(autoscaling={"keda": {**part, "onDemand": True}})
    assert "need a trigger other than cpu and memory" in refused(autoscaling={"keda": part})
