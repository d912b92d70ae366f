"""A pod that does not start shows its cause in the service's own condition, seconds after the fact."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hack import audit
from hack.demo import platform
from tests.e2e import gpus
from tests.e2e.kubectl import Kubectl, eventually
from tests.e2e.services import model, whisper_service
from tests.e2e.watching import History, Version, watching

Manifest = dict[str, Any]
OPERATOR = f"system:serviceaccount:{platform.NAMESPACE}:{platform.RELEASE}"
WITHIN_SECONDS = 5
NO_MODEL = {"cache": {"type": "Image"}}
"""The runtime's image has no model in it: the server ends at once, and says so."""
EACH_FETCHES = {"cache": {"type": "EmptyDir"}}
WRONG_DIGEST = {"model": {**model("tiny.en"), "source": {**model("tiny.en")["source"], "sha256": "0" * 64}}}
REST_SECONDS = 15


def over_server(**container: Any) -> Manifest:
    """A `podTemplate` that changes the server's container."""
    return {"podTemplate": {"spec": {"containers": [{"name": "server", **container}]}}}


MISSING_KEY = over_server(volumeMounts=[{"name": "extra", "mountPath": "/extra"}])
MISSING_KEY["podTemplate"]["spec"]["volumes"] = [
    {"name": "extra", "secret": {"secretName": "extra", "items": [{"key": "absent", "path": "absent"}]}}
]


@dataclass(frozen=True)
class Case:
    name: str
    spec: Manifest
    reason: str
    says: str
    fact: Callable[[Seen, str], list[str]]
    """When it happened, by the clock of whoever saw it first."""
    condition: str = "Available"


@dataclass(frozen=True)
class Seen:
    kubectl: Kubectl
    services: History
    pods: History

    def told(self, case: Case) -> list[Version]:
        """The versions of the service whose condition tells the cause."""
        versions = self.services.of(case.name)
        return [one for one in versions if case.says in one.conditions.get(case.condition, {}).get("message", "")]

    def pods_of(self, name: str) -> list[Version]:
        label = "whisper-operator.io/service"
        return [version for version in self.pods.versions if version.body["metadata"]["labels"].get(label) == name]


def warned(reason: str) -> Callable[[Seen, str], list[str]]:
    """When the kubelet first told so about a pod of the service."""

    def times(seen: Seen, name: str) -> list[str]:
        events = [one for one in seen.kubectl.list("events") if one["reason"] == reason]
        about = [one for one in events if one["involvedObject"]["name"].startswith(f"{name}-")]
        return [one["firstTimestamp"] or one["eventTime"] for one in about]

    return times


def found_no_node(seen: Seen, name: str) -> list[str]:
    conditions = [version.conditions.get("PodScheduled", {}) for version in seen.pods_of(name)]
    return [one["lastTransitionTime"] for one in conditions if one.get("status") == "False"]


def ended(seen: Seen, name: str) -> list[str]:
    """When a container ended with an error."""
    statuses = [
        status
        for version in seen.pods_of(name)
        for kind in ("initContainerStatuses", "containerStatuses")
        for status in version.body["status"].get(kind, [])
    ]
    states = [status.get(state, {}).get("terminated") for status in statuses for state in ("state", "lastState")]
    return [state["finishedAt"] for state in states if state and state["exitCode"]]


CASES = (
    Case("image", NO_MODEL | {"image": {"repository": "registry.invalid/whisper", "tag": "1"}},
         "ImagePullBackOff", "registry.invalid", warned("Failed")),
    Case("processors", NO_MODEL | {"resources": {"requests": {"cpu": "64"}}},
         "Unschedulable", "Insufficient cpu", found_no_node),
    Case("gpu", NO_MODEL | gpus.ON_CPU, "Unschedulable", "Insufficient nvidia.com/gpu", found_no_node),
    Case("selector", NO_MODEL | {"scheduling": {"nodeSelector": {"disk": "none"}}},
         "Unschedulable", "node affinity/selector", found_no_node),
    Case("crash", NO_MODEL, "CrashLoopBackOff", "tiny.en", ended),
    Case("memory", NO_MODEL | {"resources": {"requests": {"memory": "48Mi"}, "limits": {"memory": "48Mi"}}},
         "OOMKilled", "spec.resources.limits.memory", ended),
    Case("mount", NO_MODEL | MISSING_KEY, "FailedMount", "non-existent secret key: absent", warned("FailedMount")),
    Case("claim", {"cache": {"storageClassName": "nobody-provisions"}},
         "Unschedulable", "unbound immediate PersistentVolumeClaims", found_no_node, "ModelCached"),
    Case("fetch", EACH_FETCHES | WRONG_DIGEST, "ChecksumMismatch", "sha256", ended),
    Case("probe", EACH_FETCHES | over_server(readinessProbe={"httpGet": {"path": "/nothing"}}),
         "Unhealthy", "Readiness probe failed", warned("Unhealthy")),
)  # fmt: skip


@pytest.fixture(scope="module")
def storage_class(kubectl: Kubectl) -> Iterator[str]:
    """A class whose volumes nobody makes."""
    name = "nobody-provisions"
    kubectl.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "example.com/nobody",
        }
    )
    yield name
    kubectl("delete", "storageclass", name)


@pytest.fixture(scope="module")
def seen(namespace: Kubectl, storage_class: str) -> Iterator[Seen]:
    """One service for each way to fail, all applied at once, and what becomes of them."""
    namespace("create", "secret", "generic", "extra", "--from-literal=present=1")
    with watching(namespace, "whisperservices") as services, watching(namespace, "pods") as pods:
        namespace.apply(*(whisper_service(case.name, **case.spec) for case in CASES))
        yield Seen(namespace, services, pods)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_cause_is_in_the_condition_seconds_after_the_fact(seen: Seen, case: Case) -> None:
    eventually(f"{case.condition} tells the cause", lambda: seen.told(case), 120)
    eventually(
        f"its reason is {case.reason}",
        lambda: seen.kubectl.condition(case.name, case.condition).get("reason") == case.reason,
        120,
    )
    happened = min(datetime.datetime.fromisoformat(at).timestamp() for at in case.fact(seen, case.name))
    seconds = seen.told(case)[0].seen - happened
    print(f"{case.name}: the condition told it {seconds:.1f} s after the fact (whose clock shows whole seconds)")
    assert seconds < WITHIN_SECONDS


def test_attempts_that_go_on_failing_write_nothing(seen: Seen, audit_log: Path) -> None:
    """Pods crash, pull and mount again and again; what is known of them stays the same."""
    since = audit_log.stat().st_size
    attempts = len(seen.pods.versions)
    time.sleep(REST_SECONDS)
    assert len(seen.pods.versions) > attempts
    assert audit.writes(audit_log, OPERATOR, since) == []


def test_an_event_tells_each_cause_once(seen: Seen) -> None:
    events = [one for one in seen.kubectl.list("events") if one["involvedObject"]["kind"] == "WhisperService"]
    told = [(one["involvedObject"]["name"], one["reason"], one["message"]) for one in events]
    assert len(told) == len(set(told))
    for case in CASES:
        assert len([name for name, *_ in told if name == case.name]) <= 3, told
    assert {(case.name, case.reason) for case in CASES} <= {(name, reason) for name, reason, _ in told}


def test_the_columns_answer_at_a_glance(seen: Seen) -> None:
    header, row = seen.kubectl("get", "wsvc", "image").splitlines()
    assert header.split() == ["NAME", "READY", "REASON", "MODEL", "REPLICAS", "AVAILABLE", "URL", "AGE"]
    assert row.split()[:6] == ["image", "False", "ImagePullBackOff", "tiny.en", "1", "0"]


def test_the_fix_clears_stalled(seen: Seen) -> None:
    assert seen.kubectl.condition("fetch", "Stalled")["reason"] == "ChecksumMismatch"
    seen.kubectl("delete", "wsvc", *(case.name for case in CASES if case.name != "fetch"))
    seen.kubectl.apply(whisper_service("fetch", **EACH_FETCHES))
    seen.kubectl.wait_ready("fetch")
    assert seen.kubectl.condition("fetch", "Stalled") == {}


def test_every_status_was_kstatus_clean(seen: Seen) -> None:
    """Ready from the first pass on; what is not Ready is either going on or waits for the user, never both."""
    for version in seen.services.versions:
        if version.conditions:
            going, stuck = version.conditions.get("Reconciling"), version.conditions.get("Stalled")
            is_ready = version.conditions["Ready"]["status"] == "True"
            assert bool(going) + bool(stuck) == (not is_ready), version.conditions
            assert version.body["status"]["observedGeneration"] <= version.body["metadata"]["generation"]
