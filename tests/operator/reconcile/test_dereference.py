"""What no watch shows is read once for each name, all at the same time."""

from __future__ import annotations

import asyncio
from typing import cast

from tests.fakes.cluster import FakeCluster, HasNames
from tests.operator.samples import node, observed, pod, service
from tests.support.devices import allocation, class_body, classes, gpu, slice_body, slices, template_body
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import DEPLOYMENT, JOB, Kind
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.observed import Observed
from whisper_operator.reconcile.dereference import (
    kinds_held_back,
    requests_by_node,
    with_awaited_nodes,
    with_references,
    with_rivals,
)
from whisper_operator.reconcile.troubles import Troubles
from whisper_operator.resolve.devices import resolve_devices

CLAIM = {"kind": "PersistentVolumeClaim", "metadata": {"name": "shared", "namespace": "team"}, "spec": {}}
SPEC = {
    "auth": {"secretRef": {"name": "keys"}},
    "image": {"pullSecrets": [{"name": "keys"}, {"name": "pull"}]},
    "cache": {"existingClaim": "shared"},
    "model": {"name": "mine", "source": {"url": "pvc://shared/a.pt"}},
    "prefetch": {"caConfigMapKeyRef": {"name": "ca", "key": "root.pem"}},
}


async def test_each_named_object_is_read_once() -> None:
    cluster = FakeCluster(CLAIM, secrets={"keys": ["team-a"]})
    found = await with_references(Facts(), service(**SPEC), cast(Cluster, cluster), Troubles())
    assert found.secrets == {"keys": {"team-a"}, "pull": None}
    assert found.config_maps == {"ca": None}
    assert list(found.claims) == ["shared"]
    assert sorted(name for _, _, name in cluster.requests) == ["ca", "keys", "pull", "shared"]


class WithoutOptionalApis(FakeCluster):
    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        raise ApiError(f"GET {name}", 404, "", "404 page not found")


async def test_what_is_named_of_an_api_that_the_cluster_has_not_is_not_there() -> None:
    """What is wrong is told by preflight, with its remedy."""
    troubles, cluster = Troubles(), WithoutOptionalApis()
    spec = {"gpu": {"claim": {"resourceClaimTemplateName": "gpu"}}, "gateway": {"parentRefs": [{"name": "web"}]}}
    found = await with_references(Facts(nodes=()), service(**spec), cast(Cluster, cluster), troubles)
    assert found.claim_templates == {"gpu": None}
    assert list(found.gateways.values()) == [None]
    assert not troubles.has_any


UNPLACED = {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}


async def test_a_node_is_awaited_for_a_pod_of_which_an_autoscaler_says_so() -> None:
    """Of services with a front alone: there clients are refused where no pod can come."""
    about = {"kind": "Pod", "name": "one", "uid": "one"}
    event = {"kind": "Event", "metadata": {"namespace": "team", "name": "one.1"}, "involvedObject": about}
    cluster = FakeCluster({**event, "reason": "TriggeredScaleUp", "type": "Normal"})
    there = observed(pod("server", "one", **UNPLACED), pod("server", "two", **UNPLACED), pod("server", "three"))
    asked = cast(Cluster, cluster)
    assert await with_awaited_nodes(Facts(), service(), there, asked) == Facts()
    assert cluster.requests == []
    found = await with_awaited_nodes(Facts(), service(front={}), there, asked)
    assert found.awaited_nodes == {"one"}
    assert len(cluster.requests) == 2, "those that no node has room for"


async def test_no_node_is_awaited_where_the_events_cannot_be_read() -> None:
    class Forbidding(FakeCluster):
        async def event_reasons(self, namespace: str, uid: str) -> frozenset[str]:
            raise ApiError("GET events", 403, "Forbidden", "no")

    there = observed(pod("server", "one", **UNPLACED))
    found = await with_awaited_nodes(Facts(), service(front={}), there, cast(Cluster, Forbidding()))
    assert found.awaited_nodes == frozenset()


class Gathering(FakeCluster):
    """Answers no read of a Secret before as many are open as it waits for."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._all_are_open = asyncio.Barrier(count)

    async def secret_keys(self, namespace: str, name: str) -> frozenset[str] | None:
        await self._all_are_open.wait()
        return await super().secret_keys(namespace, name)


async def test_all_are_asked_for_at_the_same_time() -> None:
    async with asyncio.timeout(5):
        await with_references(Facts(), service(**SPEC), cast(Cluster, Gathering(2)), Troubles())


class Refusing(FakeCluster):
    """May not read the Secret `keys`."""

    async def secret_keys(self, namespace: str, name: str) -> frozenset[str] | None:
        if name == "keys":
            raise ApiError("GET secrets", 403, "Forbidden", "not allowed")
        return await super().secret_keys(namespace, name)


async def test_what_cannot_be_read_is_left_out_and_told() -> None:
    troubles = Troubles()
    found = await with_references(Facts(), service(**SPEC), cast(Cluster, Refusing(CLAIM)), troubles)
    assert found.secrets == {"pull": None}
    assert list(found.claims) == ["shared"]
    (told,) = troubles.refused
    assert (told.kind, told.reason) == (None, "LookupFailed")
    assert told.message == "Secret team/keys could not be read: not allowed"
    assert kinds_held_back(found) == {JOB}, "it may need the Secret"


class WithoutClaims(FakeCluster):
    """May not read claims."""

    async def get(self, kind: HasNames, namespace: str, name: str) -> Manifest | None:
        raise ApiError("GET persistentvolumeclaims", 403, "Forbidden", "not allowed")


async def test_all_that_depends_on_a_claim_is_held_back_without_it() -> None:
    found = await with_references(Facts(), service(**SPEC), cast(Cluster, WithoutClaims()), Troubles())
    assert found.lacks_claims
    assert kinds_held_back(found) == {JOB, DEPLOYMENT}
    gone = await with_references(Facts(), service(**SPEC), cast(Cluster, FakeCluster()), Troubles())
    assert not gone.lacks_claims, "a claim that does not exist is known not to"
    assert kinds_held_back(gone) == frozenset()


async def test_the_requests_of_pods_are_summed_over_all_pages() -> None:
    """Given more pods than a page holds."""
    container = {"resources": {"requests": {"nvidia.com/gpu": "1"}}}
    pods = [
        {"kind": "Pod", "metadata": {"name": f"pod-{number}"}, "spec": {"nodeName": "a", "containers": [container]}}
        for number in range(250)
    ]
    assert await requests_by_node(cast(Cluster, FakeCluster(*pods))) == {"a": {"nvidia.com/gpu": 250}}


async def test_what_claims_have_of_the_drivers_devices_is_subtracted() -> None:
    """One list more, and only where a driver offers what the pods ask for."""
    claims = [
        {"kind": "ResourceClaim", "metadata": {"name": name, "namespace": "other"}, "status": allocation(name)}
        for name in ("a", "c")
    ]
    there = Facts(
        nodes=(node(),),
        slices=slices(slice_body("node", gpu("a"), gpu("b"))),
        device_classes=classes(class_body(resource="nvidia.com/gpu")),
    )
    supply = resolve_devices(service(gpu={}).spec, there)
    cluster = FakeCluster(*claims)
    assert await requests_by_node(cast(Cluster, cluster), supply) == {"node": {"nvidia.com/gpu": 1}}
    await requests_by_node(cast(Cluster, cluster), None)
    assert [kind for verb, kind, _ in cluster.requests if verb == "list"] == ["Pod", "ResourceClaim", "Pod"]


async def test_the_template_of_a_gpu_by_claim_is_looked_up() -> None:
    by_claim = service(gpu={"claim": {"resourceClaimTemplateName": "gpu"}})
    body = template_body()
    there = FakeCluster({**body, "metadata": {"name": "gpu", "namespace": "team"}})
    found = await with_references(Facts(), by_claim, cast(Cluster, there), Troubles())
    assert (found.claim_templates["gpu"] or {})["spec"] == body["spec"]
    gone = await with_references(Facts(), by_claim, cast(Cluster, FakeCluster()), Troubles())
    assert gone.claim_templates == {"gpu": None}


GATEWAY = {"kind": "Gateway", "metadata": {"name": "public", "namespace": "gateways"}, "spec": {"listeners": []}}
ROUTED = {"gateway": {"parentRefs": [{"name": "public", "namespace": "gateways"}, {"name": "own"}]}}


async def test_gateways_are_read_wherever_they_are() -> None:
    found = await with_references(Facts(nodes=()), service(**ROUTED), cast(Cluster, FakeCluster(GATEWAY)), Troubles())
    assert found.gateways[("", "own")] is None
    assert (found.gateways[("gateways", "public")] or {})["spec"] == GATEWAY["spec"]


async def test_where_only_namespaces_may_be_read_the_own_ones_gateways_are() -> None:
    cluster = FakeCluster(GATEWAY)
    await with_references(Facts(nodes=None), service(**ROUTED), cast(Cluster, cluster), Troubles())
    assert [name for verb, kind, name in cluster.requests if kind == "Gateway"] == ["own"]


class WithoutGateways(FakeCluster):
    """May not read Gateways."""

    async def get(self, kind: HasNames, namespace: str, name: str) -> Manifest | None:
        raise ApiError("GET gateways", 403, "Forbidden", "not allowed")


async def test_a_gateway_that_may_not_be_read_is_no_trouble() -> None:
    troubles = Troubles()
    found = await with_references(Facts(), service(**ROUTED), cast(Cluster, WithoutGateways()), troubles)
    assert found.gateways == {}
    assert troubles.refused == []


MINE = {
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "mine", "namespace": "team"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "speech"}},
}


def scaled_by(manager: str, name: str = "speech") -> Observed:
    """A Deployment whose number of pods that manager has written last."""
    entry = {"manager": manager, "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    return observed({"kind": "Deployment", "metadata": {"name": name, "managedFields": [entry]}})


async def test_other_autoscalers_are_listed_where_somebody_has_scaled() -> None:
    cluster, troubles = FakeCluster(MINE), Troubles()
    asked = cast(Cluster, cluster)
    found = await with_rivals(Facts(), service(), scaled_by("kube-controller-manager"), asked, troubles)
    assert found.rivals == ("HorizontalPodAutoscaler/mine",)
    quiet = await with_rivals(Facts(), service(), scaled_by("whisper-operator"), asked, troubles)
    assert quiet.rivals == ()
    assert cluster.requests == [("list", "HorizontalPodAutoscaler", "team")]


async def test_another_autoscaler_of_the_front_is_found_too() -> None:
    of_front = {**MINE, "spec": {"scaleTargetRef": {**MINE["spec"]["scaleTargetRef"], "name": "speech-front"}}}
    cluster, by = cast(Cluster, FakeCluster(of_front)), scaled_by("kube-controller-manager", "speech-front")
    found = await with_rivals(Facts(), service(front={}), by, cluster, Troubles())
    assert (found.rivals, found.front_rivals) == ((), ("HorizontalPodAutoscaler/mine",))
    assert (await with_rivals(Facts(), service(), by, cluster, Troubles())).front_rivals == ()


async def test_autoscalers_that_cannot_be_listed_are_told() -> None:
    cluster, troubles = FakeCluster(), Troubles()
    cluster.unreadable["HorizontalPodAutoscaler"] = ApiError("GET", 503, "ServiceUnavailable", "starting")
    asked = cast(Cluster, cluster)
    await with_rivals(Facts(), service(), scaled_by("kube-controller-manager"), asked, troubles)
    (refusal,) = troubles.refused
    assert refusal.reason == "LookupFailed"
