"""Services whose GPUs a driver of dynamic resource allocation offers: allocated by the real scheduler to real pods."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from testbed.cluster import node
from tests.support import dra_driver, gpus, real_cluster
from tests.support.devices import DRIVER, class_body, template_body
from tests.support.kubectl import Kubectl
from tests.support.rollouts import change, decision, pods, rolled_out
from tests.support.services import EMPTY_DIR, mirrored_service, patch, reason
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

OF_DRIVER = f"device.driver == '{DRIVER}'"
BY_CLAIM = {"device": "cpu", "gpu": {"claim": {"resourceClaimTemplateName": "gpu"}}}
SURGE = f"node {node.NAME} has {{}} and room for it free"
DEVICES = 2
REPLACE = "no node that the pod may run on has {} and room for it free"
TEMPLATE = "a device for ResourceClaimTemplate gpu"


@pytest.fixture(scope="module")
def kubectl() -> Kubectl:
    found = real_cluster.running()
    real_cluster.wait_for_operator(found)
    return found


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[Kubectl]:
    """A namespace with a ResourceClaimTemplate of one device, on a cluster with two; a class maps them, too."""
    classes = [class_body(expression=OF_DRIVER), class_body("mapped", gpus.RESOURCE, OF_DRIVER)]
    with dra_driver.running(kubectl, DEVICES):
        kubectl.apply(*classes)
        with real_cluster.fresh_namespace(kubectl) as within:
            within.apply(template_body())
            yield within
        kubectl("delete", "deviceclass", *(one["metadata"]["name"] for one in classes))


@pytest.fixture(scope="module")
def claiming(namespace: Kubectl) -> Kubectl:
    """The namespace with a Ready service named `claiming`, whose pod claims its GPU."""
    namespace.apply(mirrored_service("claiming", **BY_CLAIM))
    namespace.wait_ready("claiming")
    return namespace


@contextmanager
def taken_by_another(kubectl: Kubectl) -> Iterator[None]:
    """A pod of another namespace has claimed a device until the block ends."""
    with real_cluster.fresh_namespace(kubectl) as other:
        other.apply(template_body(), claiming_pod("holder"))
        other("wait", "--for=condition=Ready", "pod/holder", "--timeout=120s")
        yield
        other("delete", "pod", "holder")
        eventually("its claim goes with it", lambda: not other.list("resourceclaims"))


@contextmanager
def applied(namespace: Kubectl, body: Manifest) -> Iterator[None]:
    """The object until the block ends; then, of a service, also no pod and no claim."""
    name = body["metadata"]["name"]
    namespace.apply(body)
    yield
    namespace("delete", body["kind"], name)
    eventually(f"no pod of {name} is left", lambda: not namespace.pods_of(name), 120)
    eventually("nor a claim", lambda: not devices_of(namespace, name))


def told(namespace: Kubectl, service: str, kind: str, why: str) -> str:
    """The message of the service's condition of that type, once it has that reason."""
    eventually(f"{kind} says {why}", lambda: reason(namespace, service, kind) == why, 120)
    return str(namespace.condition(service, kind)["message"])


def claiming_pod(name: str) -> Manifest:
    """A pod that claims a device, and that the scheduler places."""
    body = gpus.holder(name)
    [container] = body["spec"]["containers"]
    spec = {
        **{field: value for field, value in body["spec"].items() if field != "nodeName"},
        "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "gpu"}],
        "containers": [{**container, "resources": {"claims": [{"name": "gpu"}]}}],
    }
    return {**body, "spec": spec}


def devices_of(namespace: Kubectl, service: str) -> set[tuple[str, str, str]]:
    """Driver, pool and name of the devices that claims of the service's pods have."""
    names = pods(namespace, service)
    claims = [one for one in namespace.list("resourceclaims") if reserved_for(one) & names.keys()]
    results = [one for claim in claims for one in claim["status"]["allocation"]["devices"]["results"]]
    return {(one["driver"], one["pool"], one["device"]) for one in results}


def reserved_for(claim: Manifest) -> set[str]:
    return {one["name"] for one in claim.get("status", {}).get("reservedFor", ())}


def test_by_claim_a_service_is_ready_with_a_device_that_the_scheduler_chose(claiming: Kubectl) -> None:
    [(driver, pool, name)] = devices_of(claiming, "claiming")
    assert (driver, pool) == (DRIVER, node.NAME)
    assert name in ("device-00", "device-01")
    assert reason(claiming, "claiming", "PreflightPassed") == "ChecksPassed"


def test_with_a_free_device_the_new_pod_starts_beside_the_old_one(claiming: Kubectl) -> None:
    old, had = pods(claiming, "claiming"), devices_of(claiming, "claiming")
    change(claiming, "claiming")
    rolled_out(claiming, "claiming", old)
    assert decision(claiming, "claiming") == ("Surge", SURGE.format(TEMPLATE))
    eventually("the old pod's claim is gone", lambda: len(claiming.list("resourceclaims")) == 1)
    assert len(devices_of(claiming, "claiming") - had) == 1


def test_a_device_that_another_claims_is_taken(claiming: Kubectl, kubectl: Kubectl) -> None:
    with taken_by_another(kubectl):
        old, had = pods(claiming, "claiming"), devices_of(claiming, "claiming")
        change(claiming, "claiming")
        rolled_out(claiming, "claiming", old)
        assert decision(claiming, "claiming") == ("Replace", REPLACE.format(TEMPLATE))
        assert devices_of(claiming, "claiming") == had


def test_more_devices_than_there_are_are_missed_before_a_pod_is_made(claiming: Kubectl) -> None:
    with applied(claiming, mirrored_service("many", replicas=3, cache={"accessMode": "ReadWriteMany"}, **BY_CLAIM)):
        message = told(claiming, "many", "PreflightPassed", "InsufficientGpu")
        assert claiming.pods_of("many") == []
        assert "ResourceClaimTemplate gpu, named in spec.gpu.claim.resourceClaimTemplateName" in message
        assert "enough for 2" in message


def test_a_claim_that_a_quota_refuses_is_told(claiming: Kubectl) -> None:
    """The scheduler waits for it, and the pod's status says nothing."""
    devices = {"hard": {"gpu.deviceclass.resource.k8s.io/devices": "1"}}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "devices"}, "spec": devices}
    with applied(claiming, quota), applied(claiming, mirrored_service("refused", **BY_CLAIM, **EMPTY_DIR)):
        assert "exceeded quota: devices" in told(claiming, "refused", "Available", "FailedResourceClaimCreation")


def test_a_driver_that_does_not_run_is_told_until_it_is_back(claiming: Kubectl, kubectl: Kubectl) -> None:
    dra_driver.stop()
    with applied(claiming, mirrored_service("late", **BY_CLAIM, **EMPTY_DIR)):
        message = told(claiming, "late", "Available", "FailedPrepareDynamicResources")
        assert f"DRA driver {DRIVER} is not registered" in message
        dra_driver.start(kubectl, DEVICES)
        claiming.wait_ready("late")


def test_while_the_driver_is_away_a_pod_that_serves_is_not_replaced(claiming: Kubectl, kubectl: Kubectl) -> None:
    old = pods(claiming, "claiming")
    dra_driver.stop()
    eventually("the kubelet takes back what it offered", lambda: not kubectl.list("resourceslices"), 60)
    change(claiming, "claiming")
    told(claiming, "claiming", "RolledOut", "Unschedulable")
    assert decision(claiming, "claiming")[0] == "Surge"
    assert reason(claiming, "claiming", "Ready") == "Serving"
    dra_driver.start(kubectl, DEVICES)
    rolled_out(claiming, "claiming", old)


def test_by_the_resource_that_a_class_maps_devices_are_counted_as_by_claim(claiming: Kubectl, kubectl: Kubectl) -> None:
    """Of the same two: the claiming service has one."""
    claiming.apply(mirrored_service("mapped", **gpus.ON_CPU))
    claiming.wait_ready("mapped")
    old = pods(claiming, "mapped")
    [pod] = old.values()
    assert pod["status"]["extendedResourceClaimStatus"]["resourceClaimName"]
    assert len(devices_of(claiming, "mapped") | devices_of(claiming, "claiming")) == 2
    change(claiming, "mapped")
    rolled_out(claiming, "mapped", old)
    assert decision(claiming, "mapped") == ("Replace", REPLACE.format(gpus.RESOURCE))
    patch(claiming, "claiming", {"replicas": 0})
    eventually("its device is free", lambda: not devices_of(claiming, "claiming"), 120)
    old = pods(claiming, "mapped")
    change(claiming, "mapped")
    rolled_out(claiming, "mapped", old)
    assert decision(claiming, "mapped") == ("Surge", SURGE.format(gpus.RESOURCE))
