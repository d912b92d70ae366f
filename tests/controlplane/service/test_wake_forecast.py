"""While no pod serves, the front learns from the operator when one will, or why none can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest

from testbed import audit
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR
from tests.controlplane.service.test_scale_to_zero import ASLEEP, SERVING, are, status
from tests.support.front_pods import FrontPods, front_pods, make_ready
from tests.support.kubectl import Kubectl
from tests.support.kubelet import write_status
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import awaited, eventually

pytestmark = pytest.mark.usefixtures("running")

ROOM_FOR_FRONTS = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "full"},
    "spec": {"hard": {"pods": "2"}},
}


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
    sleep(namespace, fronts)
    return namespace


def sleep(namespace: Kubectl, fronts: FrontPods) -> None:
    fronts.held, fronts.active, fronts.idle = 0, 0, 3600.0
    eventually("it sleeps", are(namespace, 0))
    eventually("that is known", lambda: reason(namespace, "speech", "Ready") == "ScaledToZero")


def test_the_next_wake_is_foretold_by_the_last_ones(asleep: Kubectl, fronts: FrontPods, plane: ControlPlane) -> None:
    before = status(asleep)["scaleToZero"]
    fronts.held = 1
    eventually("the first pod is started", are(asleep, 1))
    make_ready(asleep, "server", SERVING)
    eventually("its steps are known", lambda: len(wakes(asleep)) == len(before.get("wakes", ())) + 1)
    sleep(asleep, fronts)
    steps = [median(one[step] for one in wakes(asleep)) for step in ("scheduleSeconds", "startSeconds", "loadSeconds")]
    usual = float(max(1, steps[0]) + sum(steps[1:]))
    eventually("the next one is foretold", lambda: fronts.forecast.get("expectedSeconds") == usual)
    since, asked = plane.audit_log.stat().st_size, fronts.questions
    eventually("the front is asked again and again", lambda: fronts.questions > asked + 6)
    written = [one for one in audit.writes(plane.audit_log, OPERATOR, since) if one.namespace == asleep.namespace]
    assert [str(one) for one in written] == []


def wakes(namespace: Kubectl) -> list[dict[str, int]]:
    """What status keeps of the last wakes."""
    return status(namespace)["scaleToZero"].get("wakes", [])


def test_a_pod_that_a_quota_forbids_is_known_at_once_and_comes_with_the_room(
    asleep: Kubectl, fronts: FrontPods
) -> None:
    asleep("apply", "-f", "-", stdin=json.dumps(ROOM_FOR_FRONTS))
    eventually("the quota counts", lambda: (asleep.get("quota", "full") or {}).get("status", {}).get("used"))
    fronts.held = 1
    eventually("the front learns it", lambda: "refuses to create it" in (fronts.forecast.get("cannotCome") or ""))
    asleep("delete", "quota", "full")
    make_ready(asleep, "server", SERVING)
    eventually("it serves", lambda: reason(asleep, "speech", "Ready") == "AsSpecified")
    sleep(asleep, fronts)
    eventually("nothing is known against the next one", lambda: fronts.forecast.get("cannotCome", "") is None)


def test_a_pod_without_room_is_waited_for_while_an_autoscaler_adds_a_node(asleep: Kubectl, fronts: FrontPods) -> None:
    fronts.held = 1
    pod = awaited("the first pod is there", lambda: next(iter(asleep.pods_of("speech")), None))
    unplaced: dict[str, Any] = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    write_status(asleep, "pod", pod["metadata"]["name"], {"phase": "Pending", "conditions": [unplaced]})
    eventually("the front learns it", lambda: "no node" in (fronts.forecast.get("cannotCome") or ""), 60)
    about = {"kind": "Pod", "namespace": asleep.namespace, **{key: pod["metadata"][key] for key in ("name", "uid")}}
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "scale-up"},
        "involvedObject": about,
        "reason": "TriggeredScaleUp",
        "type": "Normal",
        "message": "pod triggered scale-up",
    }
    asleep("create", "-f", "-", stdin=json.dumps(event))
    eventually("it is waited for", lambda: fronts.forecast.get("cannotCome", "") is None, 60)


def test_a_service_with_jobs_sleeps_once_none_waits(namespace: Kubectl, fronts: FrontPods) -> None:
    with front_pods(1) as servers:
        servers.unended, fronts.idle = 1, 3600.0
        namespace.apply(service("speech", jobs={}, **JOBS_ASLEEP, **EMPTY_DIR))
        make_ready(namespace, "front", *fronts.addresses)
        make_ready(namespace, "server", *servers.addresses)
        namespace.wait_ready("speech", 60)
        asked = servers.questions
        eventually("its pod is asked again and again", lambda: servers.questions > asked + 3, 60)
        assert are(namespace, 1)()
        servers.unended = 0
        eventually("it sleeps", are(namespace, 0), 60)
        fronts.idle = 0.0  # a request that ended after the last pod was
        eventually("a pod looks for what may be left", are(namespace, 1), 60)
        patch(namespace, "speech", {"jobs": None})


JOBS_ASLEEP = {"autoscaling": {**ASLEEP["autoscaling"], "maxReplicas": 1}}
