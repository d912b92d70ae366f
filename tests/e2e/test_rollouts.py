"""New pods beside the old ones where a GPU is free for them, in their place where none is; by the real scheduler."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from testbed import audit
from testbed.cluster import process
from testbed.demo import platform
from testbed.paths import CLUSTER
from tests.support import gpus, plain_http
from tests.support.kubectl import Kubectl
from tests.support.leaving import all_pods_leave
from tests.support.rollouts import change, decision, pods, rolled_out
from tests.support.services import mirrored_service
from tests.support.traffic import TranscriptionResult, repeated, transcribe, transcribing
from tests.support.waiting import eventually
from whisper_runtime.contract.metric_names import OLDEST_WAIT_METRIC
from whisper_runtime.contract.network import METRICS_PATH, METRICS_PORT

OPERATOR = f"system:serviceaccount:{platform.NAMESPACE}:{platform.RELEASE}"
DRAIN = {"drainTimeout": "300s"}
LONG = 4
"""Recordings of 11 s, one after the other: work for many seconds."""


@pytest.fixture(scope="module")
def jfk(recordings: Path) -> bytes:
    return (recordings / "jfk.wav").read_bytes()


@pytest.fixture(scope="module")
def service(namespace: Kubectl, kubectl: Kubectl) -> Iterator[Kubectl]:
    """A Ready service named `calls` that takes a GPU's place, on a node that has two."""
    with gpus.offered(kubectl, 2):
        namespace.apply(mirrored_service("calls", rollout=DRAIN, **gpus.ON_CPU))
        namespace.wait_ready("calls")
        yield namespace
        # With their pods, or the node would take GPUs away that are in use.
        namespace("delete", "wsvc", "--all")
        all_pods_leave(namespace)


def deployment_writes(log: Path, kubectl: Kubectl, name: str, since: int) -> list[str]:
    wanted = ("deployments", kubectl.namespace, name)
    found = audit.requests(log, OPERATOR, since)
    return [str(one) for one in found if one.verb in audit.WRITES and (one.resource, one.namespace, one.name) == wanted]


def test_the_drain_timeout_reaches_the_pod(service: Kubectl) -> None:
    (pod,) = pods(service, "calls").values()
    (server,) = (one for one in pod["spec"]["containers"] if one["name"] == "server")
    env = {variable["name"]: variable.get("value") for variable in server["env"]}
    assert env["WHISPER_DRAIN_SECONDS"] == "300"
    assert pod["spec"]["terminationGracePeriodSeconds"] == 330


def test_with_a_free_gpu_a_client_sees_no_error(service: Kubectl, jfk: bytes, audit_log: Path) -> None:
    old, since = pods(service, "calls"), audit_log.stat().st_size
    with transcribing(service.address("calls"), jfk, clients=2) as answers:
        eventually("the clients are served", lambda: answers.good, 300)
        change(service, "calls")
        rolled_out(service, "calls", old)
        served = answers.good
        eventually("the new pod serves them", lambda: answers.good > served, 300)
    assert answers.problems == []
    assert len(answers.texts) == 1  # none is cut short
    assert decision(service, "calls") == ("Surge", "node whisper-node has nvidia.com/gpu and room for it free")
    assert len(deployment_writes(audit_log, service, "calls", since)) == 1
    print(f"Surge: {answers.good} answers, no error, the longest wait between two {answers.longest_gap():.1f} s")


def test_without_one_the_pod_is_replaced_and_what_it_works_on_is_finished(
    service: Kubectl, kubectl: Kubectl, jfk: bytes, audit_log: Path
) -> None:
    gpus.offer(kubectl, 1)
    old, since, address = pods(service, "calls"), audit_log.stat().st_size, service.address("calls")
    long: list[TranscriptionResult] = []
    worker = threading.Thread(target=lambda: long.append(transcribe(address, repeated(jfk, LONG))))
    worker.start()
    eventually("the old pod works on the recording", lambda: oldest_wait_seconds(service) > 0)
    change(service, "calls")
    eventually("the old pod has to leave", lambda: all(told_to_leave(pod) for pod in still_there(service, old)))
    (leaving,) = still_there(service, old)
    eventually(
        "status says what the new pod waits for",
        lambda: leaving["metadata"]["name"] in service.condition("calls", "Available").get("message", ""),
    )
    assert service.condition("calls", "Available")["reason"] == "RollingOut"
    rolled_out(service, "calls", old)
    worker.join()
    assert [answer.problem for answer in long] == [""]
    assert long[0].ended > told_to_leave(leaving)
    strategy, reason = decision(service, "calls")
    assert (strategy, "no node" in reason) == ("Replace", True)
    assert len(deployment_writes(audit_log, service, "calls", since)) == 1


def oldest_wait_seconds(kubectl: Kubectl) -> float:
    """Seconds since the service's only pod took the oldest recording that it has, by its metrics; 0: it has none."""
    url = f"{kubectl.address('calls-metrics')}:{METRICS_PORT}{METRICS_PATH}"
    families = text_string_to_metric_families(plain_http.get(url, timeout=30).raise_for_status().text)
    return sum(one.value for family in families for one in family.samples if one.name == OLDEST_WAIT_METRIC)


def still_there(kubectl: Kubectl, old: dict[str, Any]) -> list[dict[str, Any]]:
    return [pod for name, pod in pods(kubectl, "calls").items() if name in old]


def told_to_leave(pod: dict[str, Any]) -> float:
    """Seconds since the epoch at which the pod was told to end; 0: it was not."""
    metadata = pod["metadata"]
    if "deletionTimestamp" not in metadata:
        return 0.0
    last = datetime.datetime.fromisoformat(metadata["deletionTimestamp"]).timestamp()
    return last - metadata["deletionGracePeriodSeconds"]


def test_the_gap_of_a_replacement(service: Kubectl, kubectl: Kubectl, jfk: bytes) -> None:
    """Nobody serves between the old pod's end and the new one's readiness; docs/explanation/rollouts.md has figures."""
    gpus.offer(kubectl, 1)
    old = pods(service, "calls")
    with transcribing(service.address("calls"), jfk) as answers:
        eventually("the client is served", lambda: answers.good, 300)
        change(service, "calls")
        rolled_out(service, "calls", old)
        served = answers.good
        eventually("the new pod serves it", lambda: answers.good > served, 300)
    assert answers.problems
    print(f"Replace: nobody answered for {answers.longest_gap():.1f} s")


def test_a_surge_whose_gpu_another_pod_takes_becomes_a_replacement(
    service: Kubectl, kubectl: Kubectl, audit_log: Path
) -> None:
    gpus.offer(kubectl, 2)
    old, since = pods(service, "calls"), audit_log.stat().st_size
    with process.paused(CLUSTER, "kube-scheduler"):
        change(service, "calls")
        eventually("the operator has decided to surge", lambda: len(pods(service, "calls")) == 2)
        assert decision(service, "calls")[0] == "Surge"
        service.apply(gpus.holder("holder"))
        eventually("another pod has the GPU", lambda: phase(service, "holder") == "Running")
    eventually("status says why", lambda: service.condition("calls", "RolledOut").get("reason") == "Unschedulable")
    rolled_out(service, "calls", old)
    strategy, reason = decision(service, "calls")
    assert strategy == "Replace"
    assert reason.endswith("found no room beside the old ones for 30 s")
    assert len(deployment_writes(audit_log, service, "calls", since)) == 2
    service("delete", "pod", "holder", "--wait=true")


def phase(kubectl: Kubectl, pod: str) -> str:
    return (kubectl.get("pod", pod) or {}).get("status", {}).get("phase", "")


def test_two_services_that_compete_for_one_gpu_both_get_there(
    service: Kubectl, kubectl: Kubectl, audit_log: Path
) -> None:
    gpus.offer(kubectl, 3)
    service.apply(mirrored_service("other", rollout=DRAIN, **gpus.ON_CPU))
    service.wait_ready("other")
    old = {name: pods(service, name) for name in ("calls", "other")}
    since = audit_log.stat().st_size
    with process.paused(CLUSTER, "kube-scheduler"):
        change(service, *old)
        for name in old:
            eventually(f"{name} has a new pod", lambda name=name: len(pods(service, name)) == 2)
            assert decision(service, name)[0] == "Surge"
    for name, before in old.items():
        rolled_out(service, name, before)
        assert len(deployment_writes(audit_log, service, name, since)) <= 2
