"""A child is written once; what somebody edited is taken back first, and what a policy made of it is left alone."""

from __future__ import annotations

from typing import Any, cast

from tests.fakes.cluster import FakeCluster
from tests.operator.samples import children, claim, live, observed, one, resolved, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import DEPLOYMENT, JOB, SERVICE
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.reconcile.answers import Answers
from whisper_operator.reconcile.child_writer import ChildWriter

WANTED = service(cache={"type": "EmptyDir"})
MANIFEST = one(children(WANTED), "Service")
KEY = ("team", "speech")
APPLIED = {"manager": "whisper-operator", "operation": "Apply", "fieldsV1": {"f:spec": {"f:selector": {}}}}
PORT = {"name": "more", "port": 81}
EDIT = {
    "manager": "kubectl-edit",
    "operation": "Update",
    "fieldsV1": {"f:spec": {"f:ports": {'k:{"port":81,"protocol":"TCP"}': {".": {}}}}},
}


def there(*managers: dict[str, Any], **spec: Any) -> Manifest:
    body = live(MANIFEST)
    metadata = {**body["metadata"], "resourceVersion": "1", "managedFields": list(managers)}
    return {**body, "metadata": metadata, "spec": {**body["spec"], **spec}}


async def written(cluster: FakeCluster, body: Manifest | None, answers: Answers) -> list[str]:
    """The requests that it took."""
    writer = ChildWriter(cast(Cluster, cluster), ObjectCache(whole_cluster=True), WANTED, answers)
    await writer.write(SERVICE, MANIFEST, body)
    return [verb for verb, _, _ in cluster.requests]


def complete() -> Answers:
    """Of a process that has had a pass over the service."""
    answers = Answers()
    answers.complete(KEY)
    return answers


async def test_a_new_child_and_a_changed_field_cost_one_request() -> None:
    assert await written(FakeCluster(), None, complete()) == ["apply"]
    drifted = there(APPLIED, type="NodePort")
    assert await written(FakeCluster(drifted), drifted, complete()) == ["apply"]


async def test_an_item_that_somebody_added_is_taken_back_before_the_apply() -> None:
    drifted = there(APPLIED, EDIT, ports=[*MANIFEST["spec"]["ports"], PORT])
    cluster = FakeCluster(drifted)
    assert await written(cluster, drifted, complete()) == ["get", "merge", "apply"]
    assert cluster.objects["Service", *KEY]["spec"]["ports"] == MANIFEST["spec"]["ports"]


async def test_an_item_that_a_policy_added_stays() -> None:
    answers = complete()
    drifted = there(APPLIED, ports=[*MANIFEST["spec"]["ports"], PORT])
    assert await written(FakeCluster(drifted), drifted, answers) == ["get", "apply"]


async def test_what_our_patch_owned_is_given_up_so_that_an_apply_can_remove_it() -> None:
    ours = {"manager": "whisper-operator", "operation": "Update", "fieldsV1": {"f:spec": {}}}
    drifted = there(APPLIED, EDIT, ours, ports=[*MANIFEST["spec"]["ports"], PORT])
    assert await written(FakeCluster(drifted), drifted, complete()) == ["get", "merge", "merge", "apply"]


async def test_after_a_restart_what_a_policy_made_of_this_very_manifest_is_left_alone() -> None:
    owned = {**APPLIED, "fieldsV1": {"f:spec": {"f:type": {}}}}
    changed = there(owned, type="NodePort")
    answers = Answers()
    assert await written(FakeCluster(changed), changed, answers) == ["get"]
    edited = there(APPLIED, type="NodePort")
    assert await written(FakeCluster(edited), edited, Answers()) == ["get", "apply"]


class RefusingOnce(FakeCluster):
    """Refuses the first apply, as where two items have one name."""

    async def apply(self, kind: Any, manifest: Manifest, *, manager: str = "", subresource: str = "") -> Manifest:
        self.requests.append(("refused", "Service", "speech"))
        if ("merge", "Service", "speech") not in self.requests:
            raise ApiError("PATCH", 422, "Invalid", "duplicate name")
        return await super().apply(kind, manifest, manager=manager, subresource=subresource)


async def test_what_an_apply_cannot_put_back_is_patched() -> None:
    drifted = there(EDIT, type="NodePort")
    assert await written(RefusingOnce(drifted), drifted, complete()) == [
        "refused",
        "get",
        "merge",
        "refused",
        "apply",
    ]


async def test_an_item_of_ours_that_is_not_wanted_any_more_goes_by_the_apply() -> None:
    """Given another port in the spec: nobody has edited the old one."""
    old = {**APPLIED, "fieldsV1": {"f:spec": {"f:ports": {'k:{"port":81,"protocol":"TCP"}': {".": {}}}}}}
    changed = there(old, ports=[{**MANIFEST["spec"]["ports"][0], "port": 81}])
    assert await written(FakeCluster(changed), changed, complete()) == ["get", "apply"]


async def test_a_job_that_somebody_made_anew_to_run_something_else_goes() -> None:
    """As by `kubectl replace --force` with an edited dump of ours: who creates it owns all of it."""
    with_claim = observed(claim(service()))
    name = resolved(service(), with_claim).prefetch.job_name or ""
    manifest = one(children(service(), with_claim), "Job", name)
    template = manifest["spec"]["template"]
    (container,) = template["spec"]["containers"]
    pods = {**template["spec"], "containers": [{**container, "image": "evil:1"}]}
    body = live({**manifest, "spec": {**manifest["spec"], "template": {**template, "spec": pods}}})
    creator = {"manager": "kubectl-create", "operation": "Update", "fieldsV1": {"f:spec": {"f:template": {}}}}
    made = {**body, "metadata": {**body["metadata"], "resourceVersion": "1", "managedFields": [creator]}}
    cluster = FakeCluster(made)
    writer = ChildWriter(cast(Cluster, cluster), ObjectCache(whole_cluster=True), WANTED, complete())
    await writer.write(JOB, manifest, made)
    assert [verb for verb, _, _ in cluster.requests] == ["get", "delete"]


SCALED = service(cache={"type": "EmptyDir"}, autoscaling={"minReplicas": 2}, objectMetadata={"labels": {"team": "a"}})


class Judging(FakeCluster):
    """A namespace whose policy asks for the label team on every object, as it judges the whole of it at each write."""

    def __init__(self, *bodies: Manifest) -> None:
        super().__init__(*bodies)
        self.replicas: list[tuple[str, int | None]] = []

    async def apply(self, kind: Any, manifest: Manifest, *, manager: str = "", subresource: str = "") -> Manifest:
        self.replicas.append((manager, manifest["spec"].get("replicas")))
        return self.judged(await super().apply(kind, manifest, manager=manager, subresource=subresource))

    async def merge(self, kind: Any, manifest: Manifest) -> Manifest:
        return self.judged(await super().merge(kind, manifest))

    def judged(self, body: Manifest) -> Manifest:
        if "team" not in body["metadata"]["labels"]:
            raise ApiError("PATCH", 403, "Forbidden", "denied request: the label team is missing")
        return body


def deployment_before(*managers: dict[str, Any], **spec: Any) -> tuple[Manifest, Manifest]:
    """The Deployment as it is wanted, and as it is there without the label."""
    wanted = one(children(SCALED), "Deployment")
    body = live(wanted)
    labels = {name: value for name, value in body["metadata"]["labels"].items() if name != "team"}
    metadata = {**body["metadata"], "labels": labels, "resourceVersion": "1", "managedFields": list(managers)}
    return wanted, {**body, "metadata": metadata, "spec": {**body["spec"], **spec}}


async def test_the_number_of_pods_is_handed_over_once_the_whole_is_as_a_policy_wants_it() -> None:
    holding = {**APPLIED, "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    wanted, before = deployment_before(holding, replicas=4)
    cluster = Judging(before)
    writer = ChildWriter(cast(Cluster, cluster), ObjectCache(whole_cluster=True), SCALED, complete())
    await writer.write(DEPLOYMENT, wanted, before)
    assert cluster.replicas == [("", 4), ("whisper-operator-handover", 4), ("", None)]


async def test_an_edit_is_taken_back_together_with_what_a_policy_asks_for() -> None:
    """The policy, and the label in the spec, are newer than the edit."""
    edit = {**EDIT, "fieldsV1": {"f:spec": {"f:paused": {}}}}
    wanted, before = deployment_before(APPLIED, edit, paused=True)
    cluster = Judging(before)
    writer = ChildWriter(cast(Cluster, cluster), ObjectCache(whole_cluster=True), SCALED, complete())
    await writer.write(DEPLOYMENT, wanted, before)
    assert [verb for verb, _, _ in cluster.requests] == ["get", "merge", "apply"]
    assert cluster.objects["Deployment", *KEY]["metadata"]["labels"]["team"] == "a"
