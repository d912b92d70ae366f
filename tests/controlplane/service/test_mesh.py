"""Pods of a mesh, whose injector puts a container before ours: what becomes of a model is told by ours alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.kubectl import Kubectl
from tests.support.kubelet import RUNNING, SERVER, end_job, start_pods, write_status
from tests.support.services import complete_fetch, fetch_job, fetch_job_after, patch, reason, service
from tests.support.waiting import awaited, eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.manifest import is_being_deleted
from whisper_operator.resolve.model import model_of

pytestmark = pytest.mark.usefixtures("running")

PROXY_FIRST = (
    "!object.spec.containers.exists(one, one.name == 'proxy')",
    "[JSONPatch{op: 'add', path: '/spec/containers/0', value: Object.spec.containers{name: 'proxy', image: 'proxy'}}]",
)
CRASHES: dict[str, Any] = {"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "again"}}}
RUNS: dict[str, Any] = {"restartCount": 0, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}


@pytest.fixture
def speech(namespace: Kubectl, policy: Callable[[str, str, str], None]) -> Kubectl:
    """Given a service that serves `base` behind a proxy, and that asks for `small`."""
    policy("pods", *PROXY_FIRST)
    eventually("the policy works", lambda: injects(namespace))
    namespace.apply(service("speech"))
    first = fetch_job(namespace)
    complete_fetch(namespace, "speech")
    eventually("a pod is there", lambda: namespace.list("pods", SERVER))
    start_pods(namespace)
    namespace.wait_ready("speech")
    patch(namespace, "speech", {"model": {"name": "small"}})
    end_job(namespace, fetch_job_after(namespace, first)["metadata"]["name"], "Complete")
    return namespace


def injects(namespace: Kubectl) -> bool:
    found = json.loads(namespace("run", "probe", "--image=probe", "--dry-run=server", "-o", "json"))
    return len(found["spec"]["containers"]) == 2


def pod_with(namespace: Kubectl, model: str) -> Manifest | None:
    """A pod of that model that is to stay; None while there is none."""
    pods = [pod for pod in namespace.list("pods", SERVER) if not is_being_deleted(pod)]
    return next((pod for pod in pods if wanted_model(pod) == model), None)


def wanted_model(template: Manifest) -> str:
    return str(model_of(template)).partition("@")[0]


def write_containers(namespace: Kubectl, pod: Manifest, proxy: dict[str, Any], server: dict[str, Any]) -> None:
    common = {"image": "a", "imageID": "a", "ready": False}
    statuses = [{**common, "name": "proxy", **proxy}, {**common, "name": "server", **server}]
    write_status(namespace, "pod", pod["metadata"]["name"], {**RUNNING, "containerStatuses": statuses})


def template(namespace: Kubectl) -> Manifest:
    return (namespace.get("deployment", "speech") or {})["spec"]["template"]


def test_a_model_that_fails_behind_a_proxy_leads_back(speech: Kubectl) -> None:
    pod = awaited("a pod is to serve it", lambda: pod_with(speech, "small"))
    assert [one["name"] for one in pod["spec"]["containers"]] == ["proxy", "server"]
    write_containers(speech, pod, RUNS, CRASHES)
    eventually("the last good one is back", lambda: wanted_model(template(speech)) == "base")
    eventually("it is told", lambda: reason(speech, "speech", "Stalled") == "ModelChangeFailed")


def test_a_proxy_that_fails_is_no_failure_of_the_model(speech: Kubectl) -> None:
    pod = awaited("a pod is to serve it", lambda: pod_with(speech, "small"))
    write_containers(speech, pod, CRASHES, RUNS)
    eventually("it is told", lambda: "proxy" in speech.condition("speech", "RolledOut").get("message", ""))
    assert wanted_model(template(speech)) == "small"
    assert reason(speech, "speech", "Stalled") == ""
