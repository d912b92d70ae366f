"""Every situation of docs/reference/readiness.md: its conditions, and what GitOps tools make of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from testbed.paths import REPOSITORY
from tests.operator.resolve.test_front import fronting
from tests.operator.samples import ENV, NOW, children, live, node, observed, one, pod, resolved, rolled_out, service
from tests.operator.samples import verifying as verification_job
from tests.operator.statuses import all_of
from tests.support.health import argo_cd, kstatus
from whisper_operator.api import conditions as c
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import (
    AUTOSCALER,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    HTTP_ROUTE,
    INGRESS,
    NETWORK_POLICY,
    PROMETHEUS_RULE,
    SERVICE,
    SERVICE_MONITOR,
    Kind,
)
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.observed import ChildName, Observed
from whisper_operator.resolve.promise import fewest_pods
from whisper_operator.status.assemble import as_json, observed_status, stalled_status
from whisper_operator.status.refused import Refusal
from whisper_runtime.contract.shared_store import SharedStoreReport

GENERATION = 2

NO_ROOM = {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]}
CRASHES = {"containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 4}]}
THREE = {"replicas": 3}
SCALED = {"autoscaling": {"minReplicas": 2, "maxReplicas": 10}}
FROM_ZERO = {
    "autoscaling": {"minReplicas": 0, "maxReplicas": 10, "keda": {"prometheusAddress": "http://prometheus:9090"}}
}
BEHIND_A_FRONT = {"autoscaling": {"minReplicas": 0, "maxReplicas": 10}}
GUARDED = {"auth": {"secretRef": {"name": "keys"}}}
TLS = {"ingress": {"host": "a.example.com", "tls": {"secretName": "cert"}}}
ON_GPU = {"gpu": {}, "model": {"name": "large-v3"}, "replicas": 2}
BAKED = {"cache": {"type": "Image"}}
PROVEN = {"verification": {}, **BAKED}


@dataclass(frozen=True)
class Case:
    """A service with its status of before, what is there, and what the API server refused."""

    service: WhisperService
    there: Observed
    installation: Installation
    refused: tuple[Refusal, ...]
    waiting: tuple[str, ...] = ()
    """Changes that a pause holds back."""
    mutated: Mapping[ChildName, Sequence[str]] = field(default_factory=dict[ChildName, Sequence[str]])
    """Fields that others write."""

    def status(self, before: Status | None = None) -> Status:
        """The status that a pass writes; `before`: the one that is there, None: the service's own."""
        of = self.service if before is None else self.service.model_copy(update={"status": before})
        found = replace(resolved(of, self.there, self.installation), waiting=self.waiting, mutated=self.mutated)
        return observed_status(found, self.refused, NOW)


SITUATIONS: dict[str, Callable[[], Case]] = {}
"""Each situation of the table that a pass has seen."""


def situation(name: str) -> Callable[[Callable[[], Case]], Callable[[], Case]]:
    def add(make: Callable[[], Case]) -> Callable[[], Case]:
        SITUATIONS[name] = make
        return make

    return add


def pods(of: WhisperService, wanted: int | None = None, **counts: int) -> list[Manifest]:
    """Claim, fetch and Deployment; `wanted`: the number where an autoscaler has set it; `counts`: its status."""
    *before, deployed = all_of(of)
    number = deployed["spec"].get("replicas", fewest_pods(of.spec)) if wanted is None else wanted
    complete = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), number)
    spec, status = {**deployed["spec"], "replicas": number}, {"observedGeneration": 1, **complete, **counts}
    return [*before, {**deployed, "spec": spec, "status": status}]


def told(
    of: WhisperService,
    *there: Manifest,
    refused: tuple[Kind, ...] = (),
    reason: str = "Rejected",
    without: tuple[Kind, ...] = (),
    **facts: Any,
) -> Case:
    """`refused`: children whose apply is, for `reason`; `without`: kinds that the cluster lacks."""
    installation = Installation("runtime:1", kinds=ENV.kinds - set(without))
    refusals = tuple(Refusal(kind, "speech", reason, f"{kind.kind}/speech: denied") for kind in refused)
    return Case(of, observed(*there, **facts), installation, refusals)


def carried_out(before: dict[str, Any] | None = None, **spec: Any) -> WhisperService:
    """The service after its spec had been carried out; `before`: the spec of an earlier generation, where another."""
    was = service(**(spec if before is None else before))
    status = as_json(told(was, *pods(was)).status())
    assert {one["type"] for one in status["conditions"]} & {"Stalled", "Reconciling"} == set()
    if before is not None:
        status["observedGeneration"] = GENERATION - 1
    return service(status, **spec)


@situation("first start: the model is fetched")
def _() -> Case:
    return told(service(), pods(service())[0])


@situation("first start: the Secret of API keys does not exist")
def _() -> Case:
    return told(service(**GUARDED), secrets={"keys": None})


@situation("first start: two of three pods are available")
def _() -> Case:
    return told(service(**THREE), *pods(service(**THREE), readyReplicas=2, availableReplicas=2))


@situation("first start: no pod fits a node")
def _() -> Case:
    none = pods(service(), readyReplicas=0, availableReplicas=0)
    return told(service(), *none, pod("server", **NO_ROOM))


@situation("the spec is carried out")
def _() -> Case:
    return told(service(**THREE), *pods(service(**THREE)))


@situation("`replicas` is raised, and the new pod fits no node")
def _() -> Case:
    more = carried_out({}, replicas=3)
    return told(more, *pods(more, readyReplicas=1, availableReplicas=1), pod("server", **NO_ROOM))


@situation("`minReplicas` is raised, and the new pod fits no node")
def _() -> Case:
    more = carried_out({"autoscaling": {"minReplicas": 1}}, autoscaling={"minReplicas": 2})
    return told(more, *pods(more, 2, readyReplicas=1, availableReplicas=1), pod("server", **NO_ROOM))


@situation("an autoscaler goes from 2 pods to 10, which start")
def _() -> Case:
    wanted = carried_out(**SCALED)
    return told(wanted, *pods(wanted, 10, readyReplicas=2, availableReplicas=2))


@situation("an autoscaler wants a pod that fits no node")
def _() -> Case:
    wanted = carried_out(**SCALED)
    return told(wanted, *pods(wanted, 3, readyReplicas=2, availableReplicas=2), pod("server", **NO_ROOM))


@situation("an autoscaler is back at 2 pods")
def _() -> Case:
    wanted = carried_out(**SCALED)
    return told(wanted, *pods(wanted, 2))


@situation("an autoscaler has scaled to zero")
def _() -> Case:
    wanted = carried_out(**FROM_ZERO)
    return told(wanted, *pods(wanted, 0))


@situation("a pod starts after the autoscaler had scaled to zero")
def _() -> Case:
    wanted = carried_out(**FROM_ZERO)
    return told(wanted, *pods(wanted, 1, readyReplicas=0, availableReplicas=0))


def behind_a_front() -> WhisperService:
    """A service that the operator may scale to zero, after its spec had been carried out."""
    was = service(**BEHIND_A_FRONT)
    return service(as_json(told(was, *pods(was, wanted=1), *fronting()).status()), **BEHIND_A_FRONT)


@situation("nobody asks, and the operator has scaled to zero behind a front")
def _() -> Case:
    asleep = behind_a_front()
    return told(asleep, *pods(asleep, wanted=0), *fronting())


@situation("a request is held at the front, and the first pod starts")
def _() -> Case:
    waking = behind_a_front()
    return told(waking, *pods(waking, wanted=1, readyReplicas=0, availableReplicas=0), *fronting())


@situation("a request is held at the front, and the first pod fits no node")
def _() -> Case:
    waking = behind_a_front()
    starting = pods(waking, wanted=1, readyReplicas=0, availableReplicas=0)
    return told(waking, *starting, *fronting(), pod("server", **NO_ROOM))


@situation("no pod serves, and the front is lost")
def _() -> Case:
    asleep = behind_a_front()
    return told(asleep, *pods(asleep, wanted=0), *fronting(availableReplicas=0))


@situation("pods serve, and the front is lost")
def _() -> Case:
    awake = behind_a_front()
    return told(awake, *pods(awake, wanted=1), *fronting(availableReplicas=0))


@situation("first start: pods serve, and the front starts")
def _() -> Case:
    first = service(**BEHIND_A_FRONT)
    return told(first, *pods(first, wanted=1), *fronting("server", availableReplicas=0))


@situation("a node is drained, and one of three pods starts elsewhere")
def _() -> Case:
    wanted = carried_out(**THREE)
    return told(wanted, *pods(wanted, readyReplicas=2, availableReplicas=2))


@situation("one of ten pods crashes again and again")
def _() -> Case:
    wanted = carried_out(replicas=10)
    return told(wanted, *pods(wanted, readyReplicas=9, availableReplicas=9), pod("server", **CRASHES))


@situation("two of three pods are lost")
def _() -> Case:
    wanted = carried_out(**THREE)
    return told(wanted, *pods(wanted, readyReplicas=1, availableReplicas=1))


@situation("the last pod is lost, and no node has room")
def _() -> Case:
    wanted = carried_out()
    return told(wanted, *pods(wanted, readyReplicas=0, availableReplicas=0), pod("server", **NO_ROOM))


@situation("somebody annotates the Deployment")
def _() -> Case:
    wanted = carried_out(**THREE)
    return told(wanted, *pods(wanted, observedGeneration=0))


@situation("a change of the spec replaces the pods")
def _() -> Case:
    wanted = carried_out({"replicas": 3}, replicas=3, logging={"level": "debug"})
    return told(wanted, *proven(pods(wanted, replicas=4, updatedReplicas=1)))


@situation("a change of the spec makes no progress for ten minutes")
def _() -> Case:
    wanted = carried_out({}, logging={"level": "debug"})
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    *before, deployed = proven(pods(wanted, replicas=2, updatedReplicas=1))
    return told(wanted, *before, {**deployed, "status": {**deployed["status"], "conditions": [late]}})


def proven(there: list[Manifest]) -> list[Manifest]:
    """The same with the Deployment's record of the model that was good last."""
    *before, deployed = there
    annotations = {**deployed["metadata"]["annotations"], names.ANNOTATION_LAST_GOOD_MODEL: "base"}
    return [*before, {**deployed, "metadata": {**deployed["metadata"], "annotations": annotations}}]


@situation("a change of the model is under way")
def _() -> Case:
    return told(carried_out({}, model={"name": "small"}), *proven(pods(service())))


@situation("a change of the model has failed")
def _() -> Case:
    wanted = carried_out({}, model={"name": "large-v3"}, cache={"size": "1Gi"})
    return told(wanted, *proven(pods(service())))


def refused(name: str, kind: Kind, **spec: Any) -> None:
    @situation(name)
    def _() -> Case:
        wanted = carried_out({}, **spec)
        return told(wanted, *pods(wanted), refused=(kind,))


refused("the Ingress is refused", INGRESS, ingress={"host": "a.example.com"})
refused("the HTTPRoute is refused", HTTP_ROUTE, gateway={"parentRefs": [{"name": "g"}]})
refused("the ServiceMonitor is refused", SERVICE_MONITOR, monitoring={"serviceMonitor": {}})
refused("the PrometheusRule is refused", PROMETHEUS_RULE, monitoring={"alerts": {}})
refused("the HorizontalPodAutoscaler is refused", AUTOSCALER, autoscaling={})
refused("the PodDisruptionBudget is refused", DISRUPTION_BUDGET, disruption={"maxUnavailable": 1})
refused("the NetworkPolicy is refused", NETWORK_POLICY, networkPolicy={"allowTo": [{}]})
refused("a change of the Deployment is refused", DEPLOYMENT, podTemplate={"spec": {"hostNetwork": True}})


@situation("the first Service for clients is refused")
def _() -> Case:
    wanted = service(service={"type": "LoadBalancer"})
    return told(wanted, *pods(wanted), refused=(SERVICE,))


@situation("the webhook of Ingresses is down")
def _() -> Case:
    wanted = carried_out({}, ingress={"host": "a.example.com"})
    return told(wanted, *pods(wanted), refused=(INGRESS,), reason="ApplyFailed")


@situation("somebody has deleted the Ingress, and a finalizer keeps it")
def _() -> Case:
    wanted = carried_out({}, ingress={"host": "a.example.com"})
    return told(wanted, *pods(wanted), refused=(INGRESS,), reason="BeingDeleted")


@situation("`ingress` is removed, and a finalizer keeps the Ingress")
def _() -> Case:
    wanted = carried_out({"ingress": {"host": "a.example.com"}})
    return told(wanted, *pods(wanted), refused=(INGRESS,), reason="BeingDeleted")


@situation("the webhook of Deployments is down")
def _() -> Case:
    wanted = carried_out()
    return told(wanted, *pods(wanted), refused=(DEPLOYMENT,), reason="ApplyFailed")


@situation("the webhook of Services is down before the first one is made")
def _() -> Case:
    wanted = service()
    return told(wanted, *pods(wanted), refused=(SERVICE,), reason="ApplyFailed")


@situation("jobs are kept in the pod")
def _() -> Case:
    wanted = carried_out(jobs={"storage": {"type": "EmptyDir"}})
    return told(wanted, *pods(wanted))


@situation("the volume with the model is lost, and pods serve")
def _() -> Case:
    wanted = carried_out()
    cache, *others = pods(wanted)
    return told(wanted, {**cache, "status": {"phase": "Lost"}}, *others)


@situation("a pod cannot reach the store that the pods share")
def _() -> Case:
    wanted = carried_out(redis={"secretKeyRef": {"name": "valkey", "key": "url"}})
    return told(wanted, *pods(wanted), store_reports={"speech-1": SharedStoreReport(reason="StoreUnreachable")})


@situation("the Secret of the shared store does not exist")
def _() -> Case:
    wanted = carried_out(redis={"secretKeyRef": {"name": "valkey", "key": "url"}})
    return told(wanted, *pods(wanted), secrets={"valkey": None}, store_reports={"speech-1": None})


@situation("the cluster lacks the Prometheus operator")
def _() -> Case:
    wanted = carried_out({}, monitoring={"serviceMonitor": {}})
    return told(wanted, *pods(wanted), without=(SERVICE_MONITOR,))


@situation("the Ingress has no address yet")
def _() -> Case:
    wanted = carried_out({}, ingress={"host": "a.example.com"})
    return told(wanted, *pods(wanted), live(one(children(wanted), "Ingress")))


@situation("a policy takes the label `whisper-operator.io/service` from the Deployment")
def _() -> Case:
    fields = {("Deployment", "speech"): ["metadata.labels.whisper-operator.io/service"]}
    return replace(told(carried_out(), *pods(carried_out())), mutated=fields)


@situation("a policy adds a container to the Deployment")
def _() -> Case:
    fields = {("Deployment", "speech"): ["spec.template.spec.containers[proxy]"]}
    return replace(told(carried_out(), *pods(carried_out())), mutated=fields)


@situation("somebody has changed the image of a pod")
def _() -> Case:
    body = pod("server")
    key = 'k:{"name":"server"}'
    owned = [{"f:spec": {"f:containers": {key: {f"f:{name}": {}}}}} for name in ("name", "image")]
    managers = [
        {"manager": name, "operation": "Update", "fieldsV1": fields}
        for name, fields in zip(("kube-controller-manager", "kubectl-set"), owned, strict=True)
    ]
    edited = {**body, "metadata": {**body["metadata"], "managedFields": managers}}
    edited["spec"] = {**body.get("spec", {}), "containers": [{"name": "server", "image": "other:1"}]}
    return told(carried_out(), *pods(carried_out()), edited)


@situation("another Ingress has the host")
def _() -> Case:
    wanted = carried_out({}, ingress={"host": "a.example.com"})
    return told(wanted, *pods(wanted), taken={("a.example.com", "/"): "other/web"})


@situation("an older Ingress takes the host of one that works")
def _() -> Case:
    wanted = carried_out(ingress={"host": "a.example.com"})
    there = [*pods(wanted), live(one(children(wanted), "Ingress"))]
    return told(wanted, *there, taken={("a.example.com", "/"): "other/web"})


@situation("the TLS Secret does not exist yet")
def _() -> Case:
    return told(service(**TLS), *pods(service(**TLS)), secrets={"cert": None})


@situation("the TLS Secret is created anew")
def _() -> Case:
    wanted = carried_out(**TLS)
    return told(wanted, *pods(wanted), secrets={"cert": None})


@situation("the Secret of API keys is created anew")
def _() -> Case:
    wanted = carried_out(**GUARDED)
    return told(wanted, *pods(wanted), secrets={"keys": None})


@situation("a pull Secret is created anew")
def _() -> Case:
    wanted = carried_out(image={"pullSecrets": [{"name": "registry"}]})
    return told(wanted, *pods(wanted), secrets={"registry": None})


LIMITS = {"metadata": {"name": "small"}, "spec": {"limits": [{"type": "Container", "max": {"memory": "1Gi"}}]}}


@situation("a LimitRange comes that a missing pod exceeds")
def _() -> Case:
    wanted = carried_out(**THREE)
    return told(wanted, *pods(wanted, readyReplicas=2, availableReplicas=2), limit_ranges=(LIMITS,))


@situation("a quota comes that leaves no room for the pod that is missing")
def _() -> Case:
    wanted = carried_out(**THREE)
    quota = {"metadata": {"name": "few"}, "spec": {}, "status": {"hard": {"pods": "2"}, "used": {"pods": "2"}}}
    return told(wanted, *pods(wanted, replicas=2, updatedReplicas=2, readyReplicas=2, availableReplicas=2),
                quotas=(quota,))  # fmt: skip


@situation("the node pool's GPUs become too small while a pod is missing")
def _() -> Case:
    wanted = carried_out(**ON_GPU)
    small = node(gpu=2, labels={"nvidia.com/gpu.memory": "2048"})
    return told(wanted, *pods(wanted, readyReplicas=1, availableReplicas=1), nodes=(small,))


@situation("a change of the spec names a Secret that does not exist")
def _() -> Case:
    wanted = carried_out({}, **GUARDED)
    return told(wanted, *pods(service()), secrets={"keys": None})


@situation("a change that touches no pod, while a pull Secret is missing")
def _() -> Case:
    image = {"pullSecrets": [{"name": "registry"}]}
    wanted = carried_out({"image": image}, image=image, service={"port": 8080})
    return told(wanted, *pods(wanted), secrets={"registry": None})


def verified(passed: bool) -> list[Manifest]:
    """The Deployment, the Job that verified it, and the pod that reported that."""
    of = service(**PROVEN)
    deployed, check = rolled_out(of), {"name": "transcribes", "passed": passed, "message": "answered 500"}
    report = json.dumps({"checks": [check], "requests": 1})
    reporting = pod("verify", containerStatuses=[{"state": {"terminated": {"message": report}}}])
    return [deployed, verification_job(of, deployed, "Complete" if passed else "Failed"), reporting]


@situation("the first verification runs")
def _() -> Case:
    return told(service(**PROVEN), verified(True)[0])


@situation("the first verification has failed")
def _() -> Case:
    return told(service(**PROVEN), *verified(False))


@situation("a later rollout is verified")
def _() -> Case:
    return told(service(once_verified(1), **PROVEN), verified(True)[0])


@situation("the verification of a later rollout has failed")
def _() -> Case:
    return told(service(once_verified(1), **PROVEN), *verified(False))


@situation("a verification that was repeated by hand has failed")
def _() -> Case:
    return told(service(once_verified(GENERATION), **PROVEN), *verified(False))


def once_verified(generation: int) -> dict[str, Any]:
    """The status of that generation after its verification had passed."""
    return {**as_json(told(service(**PROVEN), *verified(True)).status()), "observedGeneration": generation}


@situation("`suspend` is set, and pods are ending")
def _() -> Case:
    asleep = carried_out({}, suspend=True)
    return told(asleep, *pods(asleep, replicas=1))


@situation("`suspend` is set, and no pod is left")
def _() -> Case:
    asleep = carried_out({}, suspend=True)
    return told(asleep, *pods(asleep))


WAITING = ("apply Deployment/speech",)


@situation("`paused` is set, and nothing else has changed")
def _() -> Case:
    held = carried_out({}, paused=True)
    return told(held, *pods(held))


@situation("`paused` is set, and a change of the spec waits")
def _() -> Case:
    held = carried_out({}, paused=True, replicas=3)
    return replace(told(held, *pods(service())), waiting=WAITING)


@situation("`paused` is set from the beginning")
def _() -> Case:
    return replace(told(service(paused=True)), waiting=WAITING)


@situation("`paused` is set, and the last pod is lost")
def _() -> Case:
    held = carried_out(paused=True)
    return told(held, *pods(held, readyReplicas=0, availableReplicas=0))


@situation("`paused` is set, and `suspend` after it")
def _() -> Case:
    held = carried_out({}, paused=True, suspend=True)
    return replace(told(held, *pods(service())), waiting=WAITING)


def invalid() -> Status:
    before = Status.model_validate(as_json(told(service(), *pods(service())).status()))
    return stalled_status(before, before, GENERATION, c.INVALID_SPEC, "spec.replicas", NOW)


NOT_JUDGED: dict[str, Callable[[], Status]] = {
    "the operator has not seen this generation of the spec": lambda: Status(observed_generation=-1),
    "a change of the spec is invalid": invalid,
}
"""Situations in which no pass has judged the spec."""


def table() -> list[list[str]]:
    lines = (REPOSITORY / "docs/reference/readiness.md").read_text().split("## Situations")[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return rows[2:]


TABLE = table()


def test_the_reference_has_every_situation_that_is_tested_and_no_other() -> None:
    assert [row[0] for row in TABLE] == [*NOT_JUDGED, *SITUATIONS]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_a_situation_shows_what_the_reference_says(row: list[str]) -> None:
    found = NOT_JUDGED[row[0]]() if row[0] in NOT_JUDGED else SITUATIONS[row[0]]().status()
    by_type = {one.type: one for one in found.conditions}
    ready, reconciling, stalled = (by_type.get(kind) for kind in ("Ready", "Reconciling", "Stalled"))
    also = row[4].partition("=")[0]
    shown = by_type[also] if also else None
    assert row == [
        row[0],
        f"{ready.status} {ready.reason}" if ready else "",
        reconciling.reason if reconciling else "",
        stalled.reason if stalled else "",
        f"{also}={shown.status} {shown.reason}" if shown else "",
        argo_cd(GENERATION, as_json(found)).status,
        kstatus(GENERATION, as_json(found)).status,
    ]


@pytest.mark.parametrize("make", SITUATIONS.values(), ids=SITUATIONS)
def test_the_next_pass_over_the_same_objects_says_the_same(make: Callable[[], Case]) -> None:
    case = make()
    first = case.status()
    assert case.status(first) == first
