"""A cluster whose HorizontalPodAutoscaler needs a pod, as before Kubernetes 1.37: it says so of `minReplicas: 0`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testbed.cluster import controlplane
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.optional_apis import with_our_api
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import eventually

BACKLOG = {"type": "External", "external": {"metricName": "backlog", "averageValue": 30}}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    gate = ["--feature-gates=HPAScaleToZero=false"]
    with controlplane.running(tmp_path_factory.mktemp("old"), controllers="*,-job-controller", api_flags=gate) as found:
        yield found


@pytest.fixture(scope="module")
def kubectl(plane: ControlPlane) -> Kubectl:
    return with_our_api(plane)


@pytest.fixture(scope="module")
def speech(plane: ControlPlane, kubectl: Kubectl) -> Iterator[Kubectl]:
    """Given a service that asks for no pods at all."""
    operator = OperatorProcess(plane)
    operator.start()
    kubectl.apply(service("speech", autoscaling={"minReplicas": 0, "metrics": [BACKLOG]}, **EMPTY_DIR))
    yield kubectl
    operator.stop()


def test_the_refusal_names_the_field_and_a_remedy_and_ends_with_it(speech: Kubectl) -> None:
    eventually("it is told", lambda: reason(speech, "speech", "AutoscalingActive") == "Rejected", 60)
    told = speech.condition("speech", "AutoscalingActive")
    assert "spec.autoscaling.minReplicas is 0, which this cluster does not take" in told["message"]
    assert told["message"].endswith("write 1 or more, or use spec.autoscaling.keda")
    assert reason(speech, "speech", "Stalled") == "Rejected"
    assert speech.get("deployment", "speech") is not None
    patch(speech, "speech", {"autoscaling": {"minReplicas": 1}})
    eventually("the autoscaler is there", lambda: speech.get("hpa", "speech"))
    eventually("it is told no longer", lambda: reason(speech, "speech", "AutoscalingActive") != "Rejected")
