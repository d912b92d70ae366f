"""A drain by the eviction API leaves as many pods as `spec.disruption` says, and of them no busy one goes first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import mirrored_service
from tests.support.traffic import TrafficLog, transcribing
from tests.support.waiting import eventually
from whisper_runtime.contract.network import HTTP_PORT

SHORT_QUEUE = {"maxBatchSize": 2, "maxQueuedAudio": "30s"}
"""Of six recordings of 11 s two have a row, and there is no room for all the others."""


@pytest.fixture(scope="module")
def service(namespace: Kubectl) -> Kubectl:
    namespace.apply(mirrored_service("steady", replicas=2, disruption={"minAvailable": 1}, server=SHORT_QUEUE))
    namespace.wait_ready("steady")
    return namespace


def evict(kubectl: Kubectl, pod: str) -> None:
    """What `kubectl drain` asks for each pod of a node; raises KubectlError where the budget says no."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    path = f"/api/v1/namespaces/{kubectl.namespace}/pods/{pod}/eviction"
    kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))


def address_of(kubectl: Kubectl, pod: str) -> str:
    """Where that pod alone takes requests."""
    found = kubectl.get("pod", pod)
    assert found is not None
    return f"http://{found['status']['podIP']}:{HTTP_PORT}"


def serving(kubectl: Kubectl) -> set[str]:
    return {pod["metadata"]["name"] for pod in kubectl.pods_of("steady") if is_ready(pod)}


def is_ready(pod: dict[str, dict[str, object]]) -> bool:
    conditions = pod["status"].get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)  # type: ignore[attr-defined]
    return ready and "deletionTimestamp" not in pod["metadata"]


def test_a_drain_leaves_the_fewest_that_the_spec_allows_and_clients_see_nothing(
    service: Kubectl, recordings: Path
) -> None:
    first, second = sorted(serving(service))
    with transcribing(service.address("steady"), (recordings / "jfk.wav").read_bytes(), clients=2) as answers:
        eventually("the client is served", lambda: answers.good, 300)
        evict(service, first)
        with pytest.raises(KubectlError, match="disruption budget"):
            evict(service, second)
        eventually("a third pod serves", lambda: len(serving(service)) == 2, 300)
        eventually("the budget allows the next", lambda: allowed(service) == 1)
        evict(service, second)
        eventually("both are new", lambda: len(now := serving(service)) == 2 and not now & {first, second}, 300)
        served = answers.good
        eventually("the client is served by them", lambda: answers.good > served, 300)
    assert answers.problems == []
    assert len(answers.texts) == 1  # none is cut short


def test_a_full_queue_makes_no_pod_easier_to_evict(service: Kubectl, recordings: Path) -> None:
    """Of pods that are not ready an eviction takes as many as it likes, whatever the budget: a full one stays ready."""
    busy, idle = sorted(serving(service))
    with transcribing(address_of(service, busy), (recordings / "jfk.wav").read_bytes(), clients=6) as answers:
        eventually("its queue is full", lambda: refused(answers), 60)
        evict(service, idle)
        with pytest.raises(KubectlError, match="disruption budget"):
            evict(service, busy)
        before = refused(answers)
        eventually("it is full still", lambda: refused(answers) > before)
        assert busy in serving(service)


def refused(answers: TrafficLog) -> int:
    """The requests that found no room in the queue."""
    return sum(problem.startswith("429") for problem in answers.problems)


def allowed(kubectl: Kubectl) -> int:
    budget = kubectl.get("pdb", "steady")
    assert budget is not None
    return budget["status"]["disruptionsAllowed"]
