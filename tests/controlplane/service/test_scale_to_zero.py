"""A front takes requests in the place of the pods that serve, which come and go with what it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client

from testbed import audit
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR
from tests.support.front_pods import FrontPods, front_pods, make_ready
from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import DEPLOYMENT

pytestmark = pytest.mark.usefixtures("running")

SERVING = "192.0.2.1"
"""An address at which nobody answers: the operator asks pods that serve for nothing here."""
ASLEEP = {"autoscaling": {"minReplicas": 0, "maxReplicas": 3, "scaleToZeroAfter": "1s"}}


@pytest.fixture
def fronts() -> Iterator[FrontPods]:
    with front_pods() as found:
        yield found


@pytest.fixture
def asleep(namespace: Kubectl, fronts: FrontPods) -> Kubectl:
    """Given a service that has been proven and has gone to sleep."""
    fronts.active = 1
    namespace.apply(service("speech", **ASLEEP, **EMPTY_DIR))
    make_ready(namespace, "front", *fronts.addresses)
    make_ready(namespace, "server", SERVING)
    namespace.wait_ready("speech", 60)
    fronts.active, fronts.idle = 0, 3600.0
    eventually("it sleeps", are(namespace, 0))
    eventually("that is told", lambda: reason(namespace, "speech", "Ready") == "ScaledToZero")
    return namespace


def deployment(namespace: Kubectl, name: str = "speech") -> Manifest:
    return namespace.get("deployment", name) or {"spec": {}}


def are(namespace: Kubectl, count: int) -> Callable[[], bool]:
    return lambda: deployment(namespace)["spec"].get("replicas") == count


def reached(namespace: Kubectl) -> str:
    """The component of the pods that clients are sent to."""
    found = namespace.get("service", "speech") or {"spec": {"selector": {}}}
    return found["spec"]["selector"].get("app.kubernetes.io/component", "")


def status(namespace: Kubectl) -> dict[str, Any]:
    return (namespace.get("wsvc", "speech") or {})["status"]


def test_clients_are_sent_to_a_front_once_it_is_ready_and_back_once_the_pods_that_serve_are(
    namespace: Kubectl, fronts: FrontPods
) -> None:
    namespace.apply(service("speech", front={}, **EMPTY_DIR))
    make_ready(namespace, "server", SERVING)
    eventually("the front is made", lambda: namespace.get("deployment", "speech-front"))
    assert reached(namespace) == "server"
    address = (namespace.get("service", "speech") or {})["spec"]["clusterIP"]
    make_ready(namespace, "front", *fronts.addresses)
    eventually("clients are sent there", lambda: reached(namespace) == "front")
    namespace.wait_ready("speech", 60)
    assert (namespace.get("service", "speech") or {})["spec"]["clusterIP"] == address
    headless = (namespace.get("service", "speech-servers") or {})["spec"]
    assert (headless["clusterIP"], headless["selector"]["app.kubernetes.io/component"]) == ("None", "server")
    assert (namespace.get("pdb", "speech-front") or {})["spec"]["maxUnavailable"] == 1
    patch(namespace, "speech", {"front": None})
    eventually("they are sent to the pods that serve", lambda: reached(namespace) == "server")
    eventually(
        "the front has no pod", lambda: (namespace.get("deployment", "speech-front") or {})["spec"]["replicas"] == 0
    )
    assert (namespace.get("service", "speech") or {})["spec"]["clusterIP"] == address


def test_a_service_sleeps_while_nobody_asks_and_a_held_request_wakes_it(asleep: Kubectl, fronts: FrontPods) -> None:
    assert asleep.condition("speech", "Awake")["status"] == "False"
    assert reason(asleep, "speech", "AutoscalingActive") == "ScaledToZero"
    assert (asleep.get("hpa", "speech") or {})["spec"]["minReplicas"] == 1
    assert reached(asleep) == "front"
    fronts.held = 2
    took = eventually("the first pod is started", are(asleep, 1))
    print(f"woken {took:.2f} s after the demand")
    eventually("that is told", lambda: reason(asleep, "speech", "Awake") == "Demanded")
    eventually("Ready says so", lambda: reason(asleep, "speech", "Ready") == "Waking")
    make_ready(asleep, "server", SERVING)
    eventually("the time is known", lambda: "seconds" in status(asleep)["scaleToZero"])
    eventually("it is as before", lambda: reason(asleep, "speech", "Ready") == "AsSpecified")
    found = status(asleep)["scaleToZero"]
    assert found["reason"] == "Demanded"
    assert found["lastWake"] >= found["lastSleep"]
    fronts.active = 1
    fronts.held = 0
    asleep("scale", "deployment", "speech", "--replicas=3")  # as an autoscaler does
    make_ready(asleep, "server", SERVING, "192.0.2.2", "192.0.2.3")
    fronts.active = 0
    eventually("it sleeps again", are(asleep, 0))


def test_a_service_at_rest_costs_no_write(asleep: Kubectl, fronts: FrontPods, plane: ControlPlane) -> None:
    until_quiet(plane, asleep)
    since, asked = plane.audit_log.stat().st_size, fronts.questions
    eventually("the front is asked again and again", lambda: fronts.questions > asked + 6)
    until_quiet(plane, asleep)
    written = [one for one in audit.writes(plane.audit_log, OPERATOR, since) if one.namespace == asleep.namespace]
    assert [str(one) for one in written] == []


def test_a_front_that_nobody_can_ask_keeps_pods_and_is_told(asleep: Kubectl, fronts: FrontPods) -> None:
    fronts.is_silent = True
    eventually("a pod is started", are(asleep, 1), 120)
    eventually("the cause is told", lambda: reason(asleep, "speech", "Awake") == "FrontSilent")
    assert "spec.networkPolicy.metricsFrom" in asleep.condition("speech", "Awake")["message"]


def test_a_front_without_a_ready_pod_is_no_way_in(asleep: Kubectl) -> None:
    for pod in asleep.pods_of("speech", "front"):
        lost = [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}]
        body = json.dumps({"status": {"conditions": lost}})
        asleep("patch", "pod", pod["metadata"]["name"], "--subresource=status", "-p", body)
    eventually("it is told", lambda: reason(asleep, "speech", "Ready") == "NoWayIn")
    assert asleep.condition("speech", "Ready")["status"] == "False"


def test_a_spec_that_wants_pods_again_gets_them_before_clients_leave_the_front(asleep: Kubectl) -> None:
    patch(asleep, "speech", {"autoscaling": {"minReplicas": 2, "scaleToZeroAfter": None}})
    eventually("pods are started", are(asleep, 2))
    assert reached(asleep) == "front"
    make_ready(asleep, "server", SERVING, "192.0.2.2")
    eventually("clients are sent to them", lambda: reached(asleep) == "server")
    asleep("scale", "deployment", "speech", "--replicas=0")
    eventually("somebody's own decision stays", lambda: reason(asleep, "speech", "RolledOut") == "ScaledToZero")


def test_a_paused_service_sleeps_on(asleep: Kubectl, fronts: FrontPods) -> None:
    patch(asleep, "speech", {"paused": True})
    eventually("it is paused", lambda: reason(asleep, "speech", "Paused") == "NothingWaits")
    asked, fronts.held = fronts.questions, 1
    patch(asleep, "speech", {"language": "en"})
    eventually("the change is seen", lambda: status(asleep)["observedGeneration"] == 3)
    assert are(asleep, 0)()
    patch(asleep, "speech", {"paused": False})
    eventually("the first pod is started", are(asleep, 1))
    assert fronts.questions > asked


async def test_a_step_that_was_judged_by_another_version_is_refused(
    asleep: Kubectl, configuration: client.Configuration
) -> None:
    """Else it would undo what somebody else, or an autoscaler, has done meanwhile."""
    before = deployment(asleep)
    asleep("scale", "deployment", "speech", "--replicas=2")
    cluster = Cluster(configuration)
    with pytest.raises(ApiError) as error:
        await cluster.scale(DEPLOYMENT, before, 0)
    await cluster.close()
    assert error.value.is_conflict


def until_quiet(plane: ControlPlane, namespace: Kubectl) -> None:
    since, where = plane.audit_log.stat().st_size, namespace.namespace
    audit.until_quiet(plane.audit_log, OPERATOR, since, limit=60, quiet=3, namespace=where)
