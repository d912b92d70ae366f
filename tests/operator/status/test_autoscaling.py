"""The condition AutoscalingActive: what the autoscaler says of itself, and what it cannot know."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import service
from tests.operator.statuses import all_of, conditions, message, status
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.facts import KubernetesWarning

READY = {"type": "Ready", "status": "True", "reason": "ScaledObjectReady"}
FAILS = {
    "type": "Ready",
    "status": "False",
    "reason": "TriggerError",
    "message": "Triggers defined in ScaledObject are not working correctly",
}


def keda(*conditions: dict[str, Any]) -> Manifest:
    """KEDA's object, as it reports."""
    return {"kind": "ScaledObject", "metadata": {"name": "speech", "uid": "u"}, "status": {"conditions": conditions}}


def said(*by: dict[str, Any], **facts: Any) -> tuple[str, str]:
    """What the condition says of a service that KEDA scales by a Prometheus, where it says that."""
    found = status(BY_PROMETHEUS, keda(*by), **facts)
    return conditions(found)["AutoscalingActive"]


BY_PROMETHEUS = service(autoscaling={"keda": {"prometheusAddress": "http://prometheus:9090"}})


def test_a_suspended_service_has_nothing_to_scale() -> None:
    """Its autoscaler says `ScalingDisabled`, which is no trouble and no alert."""
    assert "AutoscalingActive" in conditions(status(service(autoscaling={})))
    assert "AutoscalingActive" not in conditions(status(service(autoscaling={}, suspend=True)))


def test_an_autoscaler_rests_while_the_operator_keeps_a_service_at_no_pods() -> None:
    """A HorizontalPodAutoscaler says `ScalingDisabled` then, which is no trouble."""
    wanted = service(autoscaling={"minReplicas": 0})
    *_, deployed = all_of(wanted)
    none = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 0)
    at_zero = {**deployed, "spec": {**deployed["spec"], "replicas": 0}, "status": {"observedGeneration": 1, **none}}
    assert conditions(status(wanted, at_zero))["AutoscalingActive"] == ("True", "ScaledToZero")


def test_nothing_wakes_what_keda_has_scaled_to_zero() -> None:
    """Its Prometheus knows of waiting audio by the pods alone, and none is left."""
    wanted = service(autoscaling={"minReplicas": 0, "keda": {"prometheusAddress": "http://prometheus:9090"}})
    assert conditions(status(wanted, keda(READY)))["AutoscalingActive"] == ("False", "NothingWakes")


def test_a_trigger_of_the_users_own_wakes_it() -> None:
    cron = {"name": "day", "type": "cron", "metadata": {}}
    for by in ({"triggers": [cron]}, {"onDemand": True}):
        wanted = service(autoscaling={"minReplicas": 0, "keda": by})
        assert conditions(status(wanted, keda(READY)))["AutoscalingActive"] == ("True", "ScaledObjectReady")


def test_keda_has_not_looked_at_what_it_says_nothing_of() -> None:
    for nothing in ((), ({"type": "Ready", "status": "Unknown"},)):
        assert said(*nothing) == ("Unknown", "MetricsPending")


def test_a_trigger_that_fails_is_told_by_its_event() -> None:
    """KEDA's condition names none of its triggers; its Event does."""
    about = KubernetesWarning("u", "KEDAScalerFailed", "error requesting metrics endpoint: no endpoints URLs")
    found = status(BY_PROMETHEUS, keda(FAILS), warnings={("ScaledObject", "speech"): about})
    assert conditions(found)["AutoscalingActive"] == ("False", "TriggerError")
    assert message(found, "AutoscalingActive") == f"{FAILS['message']}: {about.message}"
    former = status(BY_PROMETHEUS, keda(FAILS), warnings={("ScaledObject", "speech"): KubernetesWarning("v", "", "no")})
    assert message(former, "AutoscalingActive") == FAILS["message"], "that was about another object of the name"


def test_a_trigger_that_fails_beside_others_is_told() -> None:
    partly = {"type": "Ready", "status": "Unknown", "reason": "PartialTriggerError", "message": "some"}
    assert said(partly) == ("Unknown", "PartialTriggerError")


def test_what_the_autoscaler_that_keda_made_cannot_read_is_told() -> None:
    """KEDA 2.21 is Ready then: with a smallest number of 1 or more it asks no trigger itself."""
    lost = {"type": "HPAActive", "status": "False", "reason": "FailedGetExternalMetric", "message": "no such metric"}
    assert said(READY, lost) == ("False", "FailedGetExternalMetric")
    assert said(READY, {**lost, "status": "True"}) == ("True", "ScaledObjectReady")
    assert said(FAILS, lost) == ("False", "TriggerError"), "its own trouble first"
