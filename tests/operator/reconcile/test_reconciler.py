"""Passes against an API server in memory: what each reads, works out and writes."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from tests.fakes.cluster import FakeCluster, HasNames
from tests.fakes.loops import InstantLoop, on
from tests.operator.calls import counting
from tests.operator.conftest import NOT_IMPLEMENTED
from tests.operator.passes import Passes, example, settled
from tests.operator.samples import ENV
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build import desired
from whisper_operator.build.server_pod import wanted_template
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CLAIM, WHISPER_SERVICE
from whisper_operator.observe.cache import DELETED, ObjectCache
from whisper_operator.reconcile import apply, decisions, pod_reports, reconciler
from whisper_operator.reconcile import demand as demand_reader
from whisper_operator.reconcile.events import Recorder
from whisper_operator.reconcile.reconciler import Reconciler
from whisper_operator.reconcile.revisits import MOST_CONFLICTS, REVISIT_SECONDS
from whisper_operator.resolve.preflight.checklist import CHECKS
from whisper_operator.resolve.resolved import resolve
from whisper_runtime.contract.front import DemandReport

KEY = ("team", "speech")


@pytest.mark.parametrize(("is_as_it_was", "times"), [(False, 1), (True, 0)], ids=["after a change", "as it was"])
async def test_a_settled_pass_works_nothing_out_twice_and_writes_nothing(is_as_it_was: bool, times: int) -> None:
    """Given every part of the spec in use, all as it should be; what did not change is not even built again."""
    passes = await settled("everything", speech_keys=["team-a"])
    assert {one["type"]: one["status"] for one in passes.status["conditions"]}["Ready"] == "True"
    children = [kind for kind, *_ in passes.cluster.objects if kind not in ("Node", "StorageClass", "Event")]
    if not is_as_it_was:
        passes.cluster.put(passes.cluster.objects["WhisperService", *passes.key])
        passes.see_all()
    before = len(passes.cluster.requests)
    with counting(*CHECKS, orjson.loads, resolve, wanted_template, desired) as calls:
        await passes.run()
    assert {name: calls[name] for name in (check.__name__ for check in CHECKS)} == {
        check.__name__: 1 for check in CHECKS
    }
    assert (calls["resolve"], calls["wanted_template"], calls["desired"]) == (1, times, times)
    assert calls["loads"] == len(children), "the service itself and each of its children and pods, once"
    assert passes.cluster.requests[before:] == [("get", "Secret", "speech-keys"), ("get", "Gateway", "public")]


async def test_a_pass_that_writes_resolves_again_what_it_changed() -> None:
    passes = Passes(example("minimal"), FakeCluster())
    with counting(resolve, orjson.loads) as calls:
        await passes.run()
    kinds = [kind for kind, _ in passes.cluster.writes]
    assert kinds.index("PersistentVolumeClaim") < kinds.index("Job"), "the Job is wanted once its claim is there"
    assert calls["resolve"] == 3
    children = [kind for kind in kinds if kind != "WhisperService"]
    assert calls["loads"] == 1 + len(children), "the service, and each child once it has been applied"


def service(uid: str, observed_generation: int | None) -> Manifest:
    return {
        "apiVersion": WHISPER_SERVICE.api_version,
        "kind": WHISPER_SERVICE.kind,
        "metadata": {"namespace": KEY[0], "name": KEY[1], "uid": uid, "resourceVersion": "1", "generation": 1},
        "spec": {"model": {"name": "base"}, "cache": {"retention": "Retain"}},
        "status": {} if observed_generation is None else {"observedGeneration": observed_generation},
    }


def empty() -> ObjectCache:
    """In one namespace nobody knows of classes, and preflight lets a claim without one pass."""
    return ObjectCache(whole_cluster=False)


async def reconciled(cache: ObjectCache, fake: FakeCluster) -> None:
    cluster = cast(Cluster, fake)
    await Reconciler(cluster, cache, Recorder(cluster, "one"), lambda: ENV).reconcile(KEY)


@pytest.mark.parametrize("live", [[], [service("another", 1)]], ids=["gone", "replaced"])
async def test_the_claim_of_a_service_that_is_gone_is_not_made_again(live: list[Manifest]) -> None:
    cache, cluster = empty(), FakeCluster(*live)
    cache.observe(service("1", 1))
    await reconciled(cache, cluster)
    assert CLAIM.kind not in [kind for kind, _ in cluster.writes]
    assert cache.service(KEY) is None


async def test_the_claim_of_a_service_that_is_there_is_made_again() -> None:
    cache, cluster = empty(), FakeCluster(service("1", 1))
    cache.observe(service("1", 1))
    await reconciled(cache, cluster)
    assert CLAIM.kind in [kind for kind, _ in cluster.writes]
    assert reads(cluster) == [("get", "WhisperService", "speech")]


async def test_a_new_service_costs_no_read() -> None:
    cache, cluster = empty(), FakeCluster(service("1", None))
    cache.observe(service("1", None))
    await reconciled(cache, cluster)
    assert CLAIM.kind in [kind for kind, _ in cluster.writes]
    assert reads(cluster) == []


def reads(cluster: FakeCluster) -> list[tuple[str, str, str]]:
    return [request for request in cluster.requests if request[0] in ("get", "list")]


@pytest.mark.usefixtures("redis_not_implemented")
async def test_while_a_spec_is_refused_the_last_accepted_one_is_kept_true() -> None:
    """Given a service that serves, when its spec becomes one that this version does not implement, and a pass later
    its Deployment is deleted.
    """
    passes = await settled("minimal")
    before = {one["type"]: one for one in passes.status["conditions"]}
    service = passes.cluster.objects["WhisperService", *passes.key]
    spec = {**service["spec"], **NOT_IMPLEMENTED, "language": "fr"}
    passes.cluster.put({**service, "metadata": {**service["metadata"], "generation": 2}, "spec": spec})
    passes.see_all()
    await passes.run()
    after = {one["type"]: one for one in passes.status["conditions"]}
    assert (after["Ready"]["status"], after["Stalled"]["reason"]) == ("True", "NotImplemented"), "its pods serve"
    assert passes.status["observedGeneration"] == 2
    assert after["Available"] == before["Available"], "it was not judged by the refused spec"
    deployment = passes.cluster.objects.pop(("Deployment", *passes.key))
    passes.cache.observe(deployment, DELETED)
    await passes.run()
    again = passes.cluster.objects["Deployment", *passes.key]
    assert again["spec"]["template"] == deployment["spec"]["template"]
    assert {one["type"]: one["status"] for one in passes.status["conditions"]}["Available"] == "False"


async def test_a_child_that_cannot_be_applied_neither_ends_the_pass_nor_hides_it() -> None:
    """Given a service whose Ingress no webhook lets in."""
    down = ApiError("PATCH", 500, "InternalError", "failed calling webhook: connection refused")
    passes = Passes(example("production"), FakeCluster(refusals={"Ingress": down}, secrets=SECRETS))
    with pytest.raises(ApiError, match="failed calling webhook"):
        await passes.run()
    written = {kind for kind, _ in passes.cluster.writes}
    assert {"Service", "PersistentVolumeClaim", "HorizontalPodAutoscaler"} <= written
    found = {one["type"]: one for one in passes.status["conditions"]}
    assert found["Reconciling"]["reason"] == "ApplyFailed"
    assert found["Reconciling"]["message"].startswith("Ingress/")
    assert passes.status["observedGeneration"] == 1


async def test_a_conflict_that_goes_on_and_on_is_told() -> None:
    """As where a deleted service's child has the name, and nothing collects it."""
    conflict = ApiError("PATCH", 409, "Conflict", "it exists")
    passes = Passes(example("minimal"), FakeCluster(refusals={"Service": conflict}))
    told: list[bool] = []
    for _ in range(MOST_CONFLICTS):
        with pytest.raises(ApiError, match="it exist"):
            await passes.run()
        reasons = {one["type"]: one["reason"] for one in passes.status["conditions"]}
        told.append(reasons.get("Reconciling") == "ApplyFailed")
    assert told == [False] * (MOST_CONFLICTS - 1) + [True]


class Silent(FakeCluster):
    """Takes ten seconds over each write of some kinds, and fails, as where a webhook does not answer."""

    def __init__(self, *kinds: str) -> None:
        super().__init__(secrets=SECRETS)
        self.seconds = 0.0
        self.fall_silent(*kinds)

    def fall_silent(self, *kinds: str) -> None:
        down = ApiError("PATCH", 500, "InternalError", "failed calling webhook: context deadline exceeded")
        self._refusals = dict.fromkeys(kinds, down)

    def _write(self, verb: str, kind: HasNames, body: Manifest) -> None:
        self.seconds += 10 * (kind.kind in self._refusals)
        super()._write(verb, kind, body)


async def test_children_that_a_pass_has_no_time_for_have_their_turn_in_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Given a webhook that is silent about what comes first, of which there are two Services."""
    cluster = Silent("ServiceAccount", "NetworkPolicy", "Service")
    monkeypatch.setattr(apply, "time", SimpleNamespace(monotonic=lambda: cluster.seconds))
    body, quick = example("production"), {"cache": {"type": "EmptyDir"}, "networkPolicy": {"allowTo": [{}]}}
    passes = Passes({**body, "spec": {**body["spec"], **quick}}, cluster)
    later = {"Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Ingress"}
    with pytest.raises(ApiError):
        await passes.run()
    assert later.isdisjoint(kind for kind, _ in cluster.writes)
    assert "Ingress/speech: not tried, for other children took 36 s" in str(passes.status)
    with pytest.raises(ApiError):
        await passes.run()
    assert later <= {kind for kind, _ in cluster.writes}
    for _ in range(2):
        before = len(cluster.writes)
        with pytest.raises(ApiError):
            await passes.run()
    tried = [kind for kind, _ in cluster.writes[before:] if kind != "WhisperService"]
    assert tried[0] == "ServiceAccount", "no pod runs under an account of which nothing is known"
    assert set(tried) == {"ServiceAccount", "NetworkPolicy", "Service"}


class Slow(FakeCluster):
    """Takes an Ingress after as long as a webhook may take that nothing depends on."""

    async def apply(self, kind: HasNames, manifest: Manifest, *, manager: str = "", subresource: str = "") -> Manifest:
        await asyncio.sleep(30 if kind.kind == "Ingress" else 0)
        return await super().apply(kind, manifest, manager=manager, subresource=subresource)


@on(InstantLoop)
async def test_a_child_for_which_the_time_was_too_short_has_more_of_it_in_the_next_pass() -> None:
    passes = Passes(example("production"), Slow(secrets=SECRETS))
    with pytest.raises(ApiError, match="no answer within 12 s"):
        await passes.run()
    assert "PodDisruptionBudget" in {kind for kind, _ in passes.cluster.writes}
    assert ("Ingress", *passes.key) not in passes.cluster.objects
    await passes.run()
    assert ("Ingress", *passes.key) in passes.cluster.objects


async def test_a_child_out_of_sight_that_is_not_wanted_has_its_turn_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given silent webhooks, the autoscaler loses its label, and the spec no longer asks for it."""
    cluster = Silent()
    body, quick = example("production"), {"cache": {"type": "EmptyDir"}, "networkPolicy": {"allowTo": [{}]}}
    body = {**body, "spec": {**body["spec"], **quick}}
    passes = Passes(body, cluster)
    await passes.settle()
    scaler = cluster.objects["HorizontalPodAutoscaler", *passes.key]
    passes.cache.observe({**scaler, "metadata": {**scaler["metadata"], "resourceVersion": "9000"}}, DELETED)
    cluster.fall_silent("NetworkPolicy", "Service", "Ingress", "PodDisruptionBudget")
    monkeypatch.setattr(apply, "time", SimpleNamespace(monotonic=lambda: cluster.seconds))
    changed: dict[str, Any] = {
        **{"autoscaling": None, "service": {"port": 81}, "disruption": {"maxUnavailable": 2}},
        **{"networkPolicy": {}, "ingress": {**body["spec"]["ingress"], "host": "other.example.com"}},
    }
    passes.cache.observe(
        cluster.put({**body, "metadata": {**body["metadata"], "generation": 2}, "spec": {**body["spec"], **changed}})
    )
    for is_there in (True, False):
        with pytest.raises(ApiError):
            await passes.run()
        assert (("HorizontalPodAutoscaler", *passes.key) in cluster.objects) is is_there


async def test_a_bug_of_the_operators_is_told_until_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and without what the exception says, which may be anything."""
    passes = await settled("minimal")
    before = {one["type"]: one for one in passes.status["conditions"]}

    def fail(*_: object) -> None:
        raise KeyError("hunter2")

    with monkeypatch.context() as patched:
        for module in (reconciler, decisions):
            patched.setattr(module, "resolve", fail)
        for _ in range(2):
            written = len(passes.cluster.writes)
            with pytest.raises(KeyError):
                await passes.run()
            passes.see_all()
    assert len(passes.cluster.writes) == written
    found = {one["type"]: one for one in passes.status["conditions"]}
    assert found.pop("Reconciling")["reason"] == "InternalError"
    assert "hunter2" not in str(passes.status)
    assert found == before, "which nothing has judged"
    await passes.run()
    assert {one["type"]: one for one in passes.status["conditions"]} == before


class Stuck(FakeCluster):
    """Never answers a request for a Secret, as long as it is stuck."""

    is_stuck = False

    async def secret_keys(self, namespace: str, name: str) -> frozenset[str] | None:
        if self.is_stuck:
            await asyncio.Event().wait()
        return await super().secret_keys(namespace, name)


async def test_a_pass_that_takes_too_long_is_told_until_one_comes_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Stuck(secrets=SECRETS)
    passes = Passes(example("production"), cluster)
    await passes.settle()
    before = {one["type"]: one for one in passes.status["conditions"]}
    cluster.is_stuck = True
    with monkeypatch.context() as patched:
        patched.setattr(reconciler, "PASS_SECONDS", 0)
        with pytest.raises(TimeoutError):
            await passes.run()
    found = {one["type"]: one for one in passes.status["conditions"]}
    assert found.pop("Reconciling")["reason"] == "PassTimedOut"
    assert found.items() <= before.items(), "which nothing has judged"
    assert [kind for _, kind, _ in cluster.requests][-2:] == ["WhisperService", "Event"]
    cluster.is_stuck = False
    passes.see_all()
    await passes.run()
    assert {one["type"]: one for one in passes.status["conditions"]} == before


SECRETS = {"speech-keys": ["team-a"], "api-keys": ["team-a"], "speech-tls": ["tls.crt", "tls.key"]}


def with_spec(passes: Passes, **changes: Any) -> None:
    """Changes fields of the service's spec; all watches show it."""
    service = passes.cluster.objects["WhisperService", *passes.key]
    metadata = {**service["metadata"], "generation": service["metadata"]["generation"] + 1}
    passes.cluster.put({**service, "metadata": metadata, "spec": {**service["spec"], **changes}})
    passes.see_all()


async def test_a_paused_service_is_looked_at_and_left_alone() -> None:
    """Given a change that replaces pods, one that removes a child, and a child that somebody has deleted."""
    passes = await settled("everything", speech_keys=["team-a"])
    passes.cache.observe(passes.cluster.objects.pop(("Service", *passes.key)), DELETED)
    with_spec(passes, language="en", ingress=None, paused=True)
    before = len(passes.cluster.writes)
    await passes.run()
    assert [kind for kind, _ in passes.cluster.writes[before:]] == ["WhisperService"], "its status alone"
    found = {one["type"]: one for one in passes.status["conditions"]}
    assert found["Paused"]["message"] == (
        "spec.paused is true: apply Service/everything, apply Deployment/everything, delete Ingress/everything"
    )
    assert (found["Ready"]["status"], found["Reconciling"]["reason"]) == ("True", "ChangesWait")
    await passes.run()
    assert len(passes.cluster.writes) == before + 1
    with_spec(passes, paused=False)
    await passes.settle()
    assert ("Service", *passes.key) in passes.cluster.objects
    assert ("Ingress", *passes.key) not in passes.cluster.objects
    assert "Paused" not in {one["type"] for one in passes.status["conditions"]}


async def test_a_service_that_is_created_paused_has_no_child() -> None:
    passes = Passes(example("minimal"), FakeCluster())
    with_spec(passes, paused=True)
    await passes.run()
    assert [kind for kind, _ in passes.cluster.writes] == ["WhisperService"]
    found = {one["type"]: one for one in passes.status["conditions"]}
    assert (found["Ready"]["status"], found["Ready"]["reason"]) == ("False", "ChangesWait")


class HoldingFront:
    """Stands for the pods of a front, and what they report."""

    def __init__(self) -> None:
        self.held = 0

    async def ask(self, _pod: Manifest, _path: str, _report: type[DemandReport], _news: object) -> DemandReport:
        return DemandReport(held_requests=self.held, held_bytes=0, active_requests=0, idle_seconds=0.0)


async def test_a_held_request_has_the_pass_write_the_number_of_pods_and_say_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    front = HoldingFront()
    monkeypatch.setattr(pod_reports, "ask", front.ask)
    monkeypatch.setattr(demand_reader, "ASK_SECONDS", 0.0)
    passes = await settled("scale-to-zero")
    deployed = passes.cluster.objects["Deployment", *passes.key]
    none = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 0)
    status = {"observedGeneration": 1, **none}
    passes.cluster.put({**deployed, "spec": {**deployed["spec"], "replicas": 0}, "status": status})
    ready = {"podIP": "127.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}
    passes.cluster.put(front_pod(passes, ready))
    passes.see_all()
    await passes.run()
    assert passes.cluster.objects["Deployment", *passes.key]["spec"]["replicas"] == 0, "nobody asks"
    front.held = 1
    await passes.run()
    assert passes.cluster.objects["Deployment", *passes.key]["spec"]["replicas"] == 1
    assert passes.status["scaleToZero"]["reason"] == "Demanded"


def front_pod(passes: Passes, status: dict[str, Any]) -> Manifest:
    namespace, name = passes.key
    metadata = {"name": "front-1", "namespace": namespace, "labels": names.labels(name, names.FRONT)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}, "status": status}


class Meddled(FakeCluster):
    """Somebody sets the port of the Service again and again, each time between our read and our apply."""

    times = 0

    async def apply(self, kind: HasNames, manifest: Manifest, *, manager: str = "", subresource: str = "") -> Manifest:
        answer = await super().apply(kind, manifest, manager=manager, subresource=subresource)
        if manifest["kind"] != "Service" or manifest["metadata"]["name"] != "meetings" or not self.times:
            return answer
        self.times -= 1
        edit = {"f:spec": {"f:ports": {'k:{"port":81,"protocol":"TCP"}': {".": {}}}}}
        managers = [{"manager": "kubectl-edit", "operation": "Update", "fieldsV1": edit}]
        ports = [*answer["spec"]["ports"], {"name": "more", "port": 81}]
        metadata = {**answer["metadata"], "managedFields": managers}
        return self.put({**answer, "metadata": metadata, "spec": {**answer["spec"], "ports": ports}})


@pytest.mark.parametrize(
    ("times", "waits"),
    [(1, [True, False]), (2, [True, True, False]), (9, [True, True, True, False])],
    ids=["once", "twice", "for ever"],
)
async def test_what_the_answer_to_an_apply_was_the_first_to_show_is_looked_at_again(
    times: int, waits: list[bool]
) -> None:
    """No event of a watch shows it: the answer is newer. A fight has an end."""
    cluster = Meddled()
    passes = Passes(example("minimal"), cluster)
    cluster.times = times
    found: list[bool] = []
    for _ in waits:
        wait = await passes.run()
        found.append(wait == REVISIT_SECONDS)
    assert found == waits
    ports = [one["name"] for one in cluster.objects["Service", *passes.key]["spec"]["ports"]]
    assert ("more" in ports) is (times > len(waits))
    told = {one["type"]: one["message"] for one in passes.status["conditions"]}.get("ChildrenMutated", "")
    assert ("Service/meetings in spec.ports[81 TCP]" in told) is (times > len(waits)), told
