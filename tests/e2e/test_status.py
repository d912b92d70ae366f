"""A pod that does not start shows its cause in the service's own condition, seconds after the fact."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from testbed import audit
from testbed.demo import platform
from tests.support import gpus
from tests.support.kubectl import Kubectl
from tests.support.object_history import History, Version, watching
from tests.support.services import mirrored_model, mirrored_service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

OPERATOR = f"system:serviceaccount:{platform.NAMESPACE}:{platform.RELEASE}"
WITHIN_SECONDS = 30
"""From when the API server shows a fact; how long the kubelet takes to tell it is not the operator's. Far more than it
takes on an idle machine (the figures are printed), and less than a pass that nothing but time brings."""
NO_MODEL = {"cache": {"type": "Image"}}
"""Nothing is fetched, for no server gets as far as to look for its model."""
EACH_FETCHES = {"cache": {"type": "EmptyDir"}}
WRONG_DIGEST = {
    "model": {**mirrored_model("tiny.en"), "source": {**mirrored_model("tiny.en")["source"], "sha256": "0" * 64}}
}
REST_SECONDS = 15


def over_server(**container: Any) -> Manifest:
    """A `podTemplate` that changes the server's container."""
    return {"podTemplate": {"spec": {"containers": [{"name": "server", **container}]}}}


MISSING_KEY = over_server(volumeMounts=[{"name": "extra", "mountPath": "/extra"}])
MISSING_KEY["podTemplate"]["spec"]["volumes"] = [
    {"name": "extra", "secret": {"secretName": "extra", "items": [{"key": "absent", "path": "absent"}]}}
]


@dataclass(frozen=True)
class Fact:
    at: float
    """When it happened, in seconds since the epoch, by the clock of whoever saw it: whole seconds."""
    seen: float
    """When the API server showed it."""


@dataclass(frozen=True)
class FailureCase:
    name: str
    spec: Manifest
    reason: str
    says: str
    facts: Callable[[ObservedFailures, str], Iterator[Fact]]
    condition: str = "Available"


@dataclass(frozen=True)
class ObservedFailures:
    kubectl: Kubectl
    services: History
    pods: History
    events: History

    def told(self, case: FailureCase) -> list[Version]:
        """The versions of the service whose condition tells the cause."""
        versions = self.services.of(case.name)
        return [one for one in versions if case.says in one.conditions.get(case.condition, {}).get("message", "")]

    def pods_of(self, name: str) -> list[Version]:
        label = "whisper-operator.io/service"
        return [version for version in self.pods.versions if version.body["metadata"]["labels"].get(label) == name]


def fact(at: str, seen: float) -> Fact:
    return Fact(datetime.datetime.fromisoformat(at).timestamp(), seen)


def warned(message: str) -> Callable[[ObservedFailures, str], Iterator[Fact]]:
    """The kubelet's warnings about the service's pods."""

    def facts(seen: ObservedFailures, name: str) -> Iterator[Fact]:
        for version in seen.events.versions:
            about = version.body["involvedObject"]["name"]
            if about.startswith(f"{name}-") and message in version.body["message"]:
                yield fact(version.body["firstTimestamp"], version.seen)

    return facts


def found_no_node(seen: ObservedFailures, name: str) -> Iterator[Fact]:
    for version in seen.pods_of(name):
        scheduled = version.conditions.get("PodScheduled", {})
        if scheduled.get("status") == "False":
            yield fact(scheduled["lastTransitionTime"], version.seen)


def ended(seen: ObservedFailures, name: str) -> Iterator[Fact]:
    """A container ended with an error."""
    for version in seen.pods_of(name):
        for kind in ("initContainerStatuses", "containerStatuses"):
            for status in version.body["status"].get(kind, []):
                for state in (status["state"], status["lastState"]):
                    if (terminated := state.get("terminated")) and terminated["exitCode"]:
                        yield fact(terminated["finishedAt"], version.seen)


CASES = (
    FailureCase("image", NO_MODEL | {"image": {"repository": "registry.invalid/whisper", "tag": "1"}},
         "ImagePullBackOff", "registry.invalid", warned("Failed to pull image")),
    FailureCase("processors", NO_MODEL | {"resources": {"requests": {"cpu": "64"}}},
         "Unschedulable", "Insufficient cpu", found_no_node),
    FailureCase("gpu", NO_MODEL | gpus.ON_CPU, "Unschedulable", "Insufficient nvidia.com/gpu", found_no_node),
    FailureCase("selector", NO_MODEL | {"scheduling": {"nodeSelector": {"disk": "none"}}},
         "Unschedulable", "node affinity/selector", found_no_node),
    FailureCase("crash", NO_MODEL | over_server(args=["serve", "--nonsense"]),
         "CrashLoopBackOff", "unrecognized arguments: --nonsense", ended),
    FailureCase("memory", NO_MODEL | {"resources": {"requests": {"memory": "48Mi"}, "limits": {"memory": "48Mi"}}},
         "OOMKilled", "spec.resources.limits.memory", ended),
    FailureCase("mount", NO_MODEL | MISSING_KEY,
         "FailedMount", "non-existent secret key: absent", warned("non-existent secret key")),
    FailureCase("claim", {"cache": {"storageClassName": "nobody-provisions"}},
         "Unschedulable", "unbound immediate PersistentVolumeClaims", found_no_node, "ModelCached"),
    FailureCase("fetch", EACH_FETCHES | WRONG_DIGEST, "ChecksumMismatch", "sha256", ended),
    FailureCase("probe", EACH_FETCHES | over_server(readinessProbe={"httpGet": {"path": "/nothing"}}),
         "Unhealthy", "Readiness probe failed", warned("Readiness probe failed")),
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
def seen(namespace: Kubectl, storage_class: str) -> Iterator[ObservedFailures]:
    """One service for each way to fail, all applied at once, and what becomes of them."""
    namespace("create", "secret", "generic", "extra", "--from-literal=present=1")
    with (
        watching(namespace, "whisperservices") as services,
        watching(namespace, "pods") as pods,
        watching(namespace, "events") as events,
    ):
        namespace.apply(*(mirrored_service(case.name, **case.spec) for case in CASES))
        yield ObservedFailures(namespace, services, pods, events)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_cause_is_in_the_condition_seconds_after_the_fact(seen: ObservedFailures, case: FailureCase) -> None:
    eventually(f"{case.condition} tells the cause", lambda: seen.told(case), 300)
    eventually(
        f"its reason is {case.reason}",
        lambda: seen.kubectl.condition(case.name, case.condition).get("reason") == case.reason,
        300,
    )
    told, first = seen.told(case)[0].seen, min(case.facts(seen, case.name), key=lambda fact: fact.seen)
    print(
        f"{case.name}: told {told - first.at:.1f} s after the fact, {told - first.seen:.2f} s after it was to be seen"
    )
    assert told - first.seen < WITHIN_SECONDS


def test_attempts_that_go_on_failing_write_nothing(seen: ObservedFailures, audit_log: Path) -> None:
    """Pods crash, pull and mount again and again; what is known of them stays the same."""
    audit.until_quiet(audit_log, OPERATOR, audit_log.stat().st_size, limit=60)  # an Event follows its condition
    since, attempts = audit_log.stat().st_size, len(seen.pods.versions)
    time.sleep(REST_SECONDS)
    assert len(seen.pods.versions) > attempts
    assert audit.writes(audit_log, OPERATOR, since) == []


def test_an_event_tells_each_cause_once(seen: ObservedFailures) -> None:
    events = [one for one in seen.kubectl.list("events") if one["involvedObject"]["kind"] == "WhisperService"]
    told = [(one["involvedObject"]["name"], one["reason"], one["message"]) for one in events]
    assert len(told) == len(set(told))
    for case in CASES:
        assert len([name for name, *_ in told if name == case.name]) <= 3, told
    assert {(case.name, case.reason) for case in CASES} <= {(name, reason) for name, reason, _ in told}


def test_the_columns_answer_at_a_glance(seen: ObservedFailures) -> None:
    header, row = seen.kubectl("get", "wsvc", "image").splitlines()
    assert header.split() == ["NAME", "READY", "REASON", "MODEL", "REPLICAS", "AVAILABLE", "URL", "AGE"]
    assert row.split()[:6] == ["image", "False", "ImagePullBackOff", "tiny.en", "1", "0"]


def test_the_fix_clears_stalled(seen: ObservedFailures) -> None:
    assert seen.kubectl.condition("fetch", "Stalled")["reason"] == "ChecksumMismatch"
    seen.kubectl("delete", "wsvc", *(case.name for case in CASES if case.name != "fetch"))
    seen.kubectl.apply(mirrored_service("fetch", **EACH_FETCHES))
    seen.kubectl.wait_ready("fetch")
    assert seen.kubectl.condition("fetch", "Stalled") == {}


def test_every_status_was_kstatus_clean(seen: ObservedFailures) -> None:
    """Ready from the first pass on; what is not as specified goes on or waits for the user, never both."""
    for version in seen.services.versions:
        if version.conditions:
            going, stuck = version.conditions.get("Reconciling"), version.conditions.get("Stalled")
            is_ready = version.conditions["Ready"]["status"] == "True"
            assert not (going and stuck), version.conditions
            assert is_ready or going or stuck, version.conditions
            assert version.body["status"]["observedGeneration"] <= version.body["metadata"]["generation"]
