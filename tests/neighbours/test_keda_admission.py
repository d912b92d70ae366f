"""What KEDA's webhook says of the objects that the operator writes for it, in each form of `spec.autoscaling.keda`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support import keda
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("running")

PROMETHEUS = "http://prometheus.monitoring:9090"
DAY = {
    "name": "day",
    "type": "cron",
    "metadata": {"timezone": "UTC", "start": "0 8 * * *", "end": "0 18 * * *", "desiredReplicas": "2"},
}
FORMS: dict[str, dict[str, Any]] = {
    "resources": {"keda": {}},
    "prometheus": {"keda": {"prometheusAddress": PROMETHEUS}, "metrics": [{"type": "QueuedAudio"}]},
    "demand": {"minReplicas": 0, "metrics": [], "keda": {"onDemand": True}},
    "audio": {"minReplicas": 0, "metrics": [{"type": "QueuedAudio"}, {"type": "CPU"}], "keda": {"onDemand": True}},
    "triggers": {
        "minReplicas": 0,
        "metrics": [],
        "keda": {"cooldownPeriod": "10m", "triggers": [DAY], "fallback": {"replicas": 2}},
    },
    "formula": {
        "keda": {
            "prometheusAddress": PROMETHEUS,
            "triggers": [DAY],
            "advanced": {"scalingModifiers": {"formula": "queuedAudio + day", "target": "60"}},
        }
    },
}
"""Each form of docs/how-to/autoscaling.md, by the service's name."""
AUTOSCALER = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "mine"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "contested"},
        "maxReplicas": 3,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 1}},
            }
        ],
    },
}


@pytest.fixture(scope="module")
def admitted(
    plane: ControlPlane, namespace: Kubectl, running: OperatorProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kubectl]:
    """The namespace `admitted`, whose ScaledObjects KEDA's webhook judges."""
    namespace("create", "namespace", "admitted")
    found = namespace.within("admitted")
    with keda.admitting(plane, found, tmp_path_factory.mktemp("admission")):
        yield found


def told(namespace: Kubectl, name: str) -> Manifest:
    return namespace.condition(name, "AutoscalingActive")


@pytest.mark.parametrize("name", FORMS)
def test_each_documented_form_is_let_in(admitted: Kubectl, name: str) -> None:
    admitted.apply(service(name, autoscaling=FORMS[name], **EMPTY_DIR))
    eventually("KEDA's object is there", lambda: admitted.get("scaledobject", name))
    eventually("it is judged", lambda: told(admitted, name))
    assert told(admitted, name)["reason"] != "Rejected"


def test_a_suspended_service_is_let_in_and_is_awake_again(admitted: Kubectl) -> None:
    admitted.apply(service("resting", autoscaling=FORMS["demand"], **EMPTY_DIR))
    eventually("KEDA's object is there", lambda: admitted.get("scaledobject", "resting"))
    for suspend, paused in ((True, "0"), (False, None)):
        patch(admitted, "resting", {"suspend": suspend})
        eventually("KEDA is told", lambda paused=paused: annotation(admitted, "resting", "paused-replicas") == paused)


def annotation(namespace: Kubectl, name: str, of: str) -> str | None:
    body = namespace.get("scaledobject", name) or {"metadata": {}}
    return body["metadata"].get("annotations", {}).get(f"autoscaling.keda.sh/{of}")


def test_another_autoscaler_of_the_deployment_is_named_until_it_is_gone(admitted: Kubectl) -> None:
    """KEDA's webhook refuses ours while it is there, and the operator says why."""
    admitted.apply(AUTOSCALER)
    admitted.apply(service("contested", autoscaling=FORMS["resources"], **EMPTY_DIR))
    eventually("it is told", lambda: told(admitted, "contested").get("reason") == "Rejected")
    message = told(admitted, "contested")["message"]
    assert "is already managed by the hpa 'mine'" in message
    assert message.endswith("delete that one, or remove spec.autoscaling")
    admitted("delete", "hpa", "mine")
    eventually("KEDA's object is there", lambda: admitted.get("scaledobject", "contested"), 180)
    eventually("it is told no longer", lambda: told(admitted, "contested").get("reason") != "Rejected")


def test_a_second_object_of_kedas_for_the_deployment_is_refused(admitted: Kubectl) -> None:
    admitted.apply(service("twice", autoscaling=FORMS["resources"], **EMPTY_DIR))
    eventually("KEDA's object is there", lambda: admitted.get("scaledobject", "twice"))
    ours = admitted.get("scaledobject", "twice") or {}
    second = {**{key: ours[key] for key in ("apiVersion", "kind", "spec")}, "metadata": {"name": "second"}}
    with pytest.raises(KubectlError, match="is already managed by the ScaledObject 'twice'"):
        admitted.apply(second)


def test_a_formula_that_cannot_be_computed_is_told_by_its_field(admitted: Kubectl) -> None:
    modifiers = {"formula": "queuedAudio + another", "target": "60"}
    wanted = {"keda": {"prometheusAddress": PROMETHEUS, "advanced": {"scalingModifiers": modifiers}}}
    admitted.apply(service("wrong", autoscaling=wanted, **EMPTY_DIR))
    eventually("it is told", lambda: told(admitted, "wrong").get("reason") == "Rejected")
    assert told(admitted, "wrong")["message"].endswith("spec.autoscaling.keda.advanced.scalingModifiers")
    modifiers["formula"] = "queuedAudio"
    patch(admitted, "wrong", {"autoscaling": wanted})
    eventually("it is let in", lambda: admitted.get("scaledobject", "wrong"))
    eventually("it is told no longer", lambda: reason(admitted, "wrong", "AutoscalingActive") != "Rejected")


def test_no_pods_by_cpu_alone_are_refused_by_ours_before_keda_does(admitted: Kubectl) -> None:
    alone = {"minReplicas": 0, "metrics": [{"type": "CPU"}], "keda": {}}
    with pytest.raises(KubectlError, match=r"spec\.autoscaling\.minReplicas is 0, which KEDA refuses"):
        admitted.apply(service("alone", autoscaling=alone, **EMPTY_DIR))
    eventually("KEDA's object is there", lambda: admitted.get("scaledobject", "resources"))
    with pytest.raises(KubectlError, match=r"only cpu/memory triggers AND minReplica is 0"):
        admitted.patch("scaledobject", "resources", {"spec": {"minReplicaCount": 0}})


def test_metrics_that_keda_does_not_keep_are_refused_by_ours_before_keda_does(admitted: Kubectl) -> None:
    cached = {**DAY, "useCachedMetrics": True}
    with pytest.raises(KubectlError, match="refuses useCachedMetrics there: remove it"):
        admitted.apply(service("cached", autoscaling={"keda": {"triggers": [cached]}}, **EMPTY_DIR))
    eventually("KEDA's object is there", lambda: admitted.get("scaledobject", "triggers"))
    with pytest.raises(KubectlError, match='"useCachedMetrics" is not supported for "cron" scaler'):
        admitted.patch("scaledobject", "triggers", {"spec": {"triggers": [cached]}})


def test_keda_takes_over_from_a_horizontalpodautoscaler_and_gives_back(admitted: Kubectl) -> None:
    """Its webhook refuses the one while the other is there."""
    admitted.apply(service("handed", autoscaling={}, **EMPTY_DIR))
    eventually("the autoscaler is there", lambda: admitted.get("hpa", "handed"))
    patch(admitted, "handed", {"autoscaling": {"keda": {}}})
    eventually("KEDA's object is there", lambda: admitted.get("scaledobject", "handed"), 120)
    assert admitted.get("hpa", "handed") is None
    patch(admitted, "handed", {"autoscaling": {"keda": None}})
    eventually("the autoscaler is back", lambda: admitted.get("hpa", "handed"))
    eventually("KEDA's object is gone", lambda: admitted.get("scaledobject", "handed") is None)
