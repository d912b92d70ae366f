"""GPUs that drivers of dynamic resource allocation offer: counted, claimed and missed, on a real API server."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from testbed.operator_process import OperatorProcess
from tests.support.devices import allocation, class_body, gpu, slice_body, template_body
from tests.support.kubectl import Kubectl
from tests.support.kubelet import report_node, write_status
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import awaited, eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("running")

BY_CLAIM = {"gpu": {"claim": {"resourceClaimTemplateName": "gpu"}}}


@contextmanager
def node(namespace: Kubectl, **resources: str) -> Generator[str]:
    """A node of the test's own with those resources, as a kubelet and a device plugin report them."""
    name = f"node-{namespace.namespace}"
    namespace.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
    report_node(namespace, name, **resources)
    yield name
    namespace("delete", "node", name)


@pytest.fixture
def devices(namespace: Kubectl) -> Iterator[str]:
    """A node without a device plugin, on which a driver offers two GPUs as nvidia.com/gpu."""
    with node(namespace) as name:
        there = [slice_body(name, gpu("a"), gpu("b")), class_body(resource="nvidia.com/gpu")]
        namespace.apply(*there)
        yield name
        for body in there:
            namespace("delete", body["kind"], body["metadata"]["name"], "--ignore-not-found")


def told(namespace: Kubectl, why: str, says: str) -> None:
    eventually(f"{why} is told", lambda: reason(namespace, "speech", "PreflightPassed") == why, seconds=90)
    assert says in namespace.condition("speech", "PreflightPassed")["message"]


def passes(namespace: Kubectl) -> None:
    eventually("it passes", lambda: reason(namespace, "speech", "PreflightPassed") == "ChecksPassed", seconds=90)


def rollout(namespace: Kubectl) -> Manifest:
    found = namespace.get("wsvc", "speech")
    assert found is not None
    return found["status"].get("rollout") or {}


def allocate(namespace: Kubectl, node: str, device: str) -> None:
    """A claim of somebody else's gets that device, as the scheduler writes it."""
    spec = {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu"}}]}}
    kind = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim"}
    namespace.apply({**kind, "metadata": {"name": f"claim-{device}"}, "spec": spec})
    write_status(namespace, "resourceclaim", f"claim-{device}", allocation(device, node))


def change(namespace: Kubectl, language: str) -> Manifest:
    """The decision on the rollout of a changed language."""
    before = rollout(namespace)
    patch(namespace, "speech", {"language": language})
    eventually("it is decided anew", lambda: rollout(namespace) not in ({}, before))
    return rollout(namespace)


def test_a_mapped_resource_is_counted_by_slices_less_what_claims_have(namespace: Kubectl, devices: str) -> None:
    namespace.apply(service("speech", gpu={}, **EMPTY_DIR))
    passes(namespace)
    eventually("pods are made", lambda: namespace.get("deployment", "speech"))
    allocate(namespace, devices, "a")
    assert change(namespace, "en") == {
        "strategy": "Surge",
        "reason": f"node {devices} has nvidia.com/gpu and room for it free",
    }
    allocate(namespace, devices, "b")
    assert change(namespace, "de")["strategy"] == "Replace"


def test_what_the_slices_do_not_have_is_missed(namespace: Kubectl, devices: str) -> None:
    namespace.apply(service("speech", gpu={}, replicas=3, **EMPTY_DIR))
    told(namespace, "InsufficientGpu", "3 pods need nvidia.com/gpu, named in spec.gpu.resourceName, and the nodes")
    namespace(
        "patch", "deviceclass", "gpu", "--type=merge", "-p", '{"spec": {"extendedResourceName": "example.com/x"}}'
    )
    told(namespace, "GpuNotFound", "no node offers nvidia.com/gpu")


def test_a_claim_stands_in_for_the_resource(namespace: Kubectl, devices: str) -> None:
    namespace.apply(service("speech", **BY_CLAIM, **EMPTY_DIR))
    told(namespace, "GpuClaimInvalid", f"ResourceClaimTemplate {namespace.namespace}/gpu, named in spec.gpu.claim")
    assert namespace.get("deployment", "speech") is None
    namespace.apply(template_body())
    passes(namespace)
    found = awaited("pods are made", lambda: namespace.get("deployment", "speech"))
    pod = found["spec"]["template"]["spec"]
    assert pod["resourceClaims"] == [{"name": "gpu", "resourceClaimTemplateName": "gpu"}]
    (server,) = pod["containers"]
    assert server["resources"]["claims"] == [{"name": "gpu"}]
    assert "nvidia.com/gpu" not in server["resources"]["requests"]
    assert change(namespace, "en")["strategy"] == "Surge"
    allocate(namespace, devices, "a")
    allocate(namespace, devices, "b")
    assert change(namespace, "de")["strategy"] == "Replace"


def test_a_class_that_is_missing_is_named(namespace: Kubectl, devices: str) -> None:
    absent = {"name": "gpu", "exactly": {"deviceClassName": "absent"}}
    namespace.apply(template_body(absent), service("speech", **BY_CLAIM, **EMPTY_DIR))
    told(namespace, "GpuClaimInvalid", "asks for devices of DeviceClass absent, which does not exist")


def test_a_tainted_device_is_for_claims_that_tolerate_it(namespace: Kubectl, devices: str) -> None:
    taint = {"key": "example.com/worn", "effect": "NoSchedule"}
    namespace.apply(slice_body(devices, gpu("a", taints=[taint])), template_body())
    namespace.apply(service("speech", **BY_CLAIM, **EMPTY_DIR))
    told(namespace, "GpuNotFound", "no node offers a device for ResourceClaimTemplate gpu, named in spec.gpu.claim")
    tolerant = {"deviceClassName": "gpu", "tolerations": [{"key": taint["key"], "operator": "Exists"}]}
    namespace("delete", "resourceclaimtemplate", "gpu")  # its spec is immutable
    namespace.apply(template_body({"name": "gpu", "exactly": tolerant}))
    namespace.annotate("wsvc", "speech", again=1)
    passes(namespace)


def test_a_claim_that_a_quota_refuses_is_told(namespace: Kubectl, devices: str) -> None:
    """The scheduler waits for it, and the pod's status says nothing; each attempt warns of another name."""
    hard = {"gpu.deviceclass.resource.k8s.io/devices": "0"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "devices"}, "spec": {"hard": hard}}
    namespace.apply(quota, template_body())
    namespace.apply(service("speech", **BY_CLAIM, **EMPTY_DIR))
    eventually("it is told", lambda: reason(namespace, "speech", "Available") == "FailedResourceClaimCreation")
    assert "exceeded quota: devices" in namespace.condition("speech", "Available")["message"]


def test_a_pod_that_is_being_deleted_holds_its_gpu(namespace: Kubectl) -> None:
    """It is one of the Deployment's terminatingReplicas, and may go on for as long as its drain."""
    with node(namespace, **{"nvidia.com/gpu": "2"}) as name:
        namespace.apply(service("speech", gpu={}, **EMPTY_DIR))
        bind(namespace, name)
        assert change(namespace, "en")["strategy"] == "Surge"
        [serving] = [pod for pod in namespace.pods_of("speech") if pod["spec"].get("nodeName")]
        namespace("delete", "pod", serving["metadata"]["name"], "--wait=false")
        bind(namespace, name)
        eventually("it terminates", lambda: terminating(namespace) == 1)
        assert change(namespace, "de") == {
            "strategy": "Replace",
            "reason": "no node that the pod may run on has nvidia.com/gpu and room for it free",
        }


PODS, PADDING = 500, 100_000
"""Pods of other people's, and bytes of each: 48 MiB in all. A page is a fifth of that, and in memory as bytes, as text,
and beside the page before it."""


def test_the_pods_of_the_cluster_are_counted_page_by_page(namespace: Kubectl, running: OperatorProcess) -> None:
    with node(namespace, **{"nvidia.com/gpu": "2"}) as name:
        namespace("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": crowd(name)}))
        namespace.apply(service("speech", gpu={}, **EMPTY_DIR))
        eventually("pods are made", lambda: namespace.get("deployment", "speech"))
        before = running.peak_mib
        assert change(namespace, "en")["strategy"] == "Replace", "of two GPUs all are taken"
        assert running.peak_mib - before < 66, "a page, and no list of all"
        namespace("delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false")


def crowd(node: str) -> list[Manifest]:
    """Pods on that node, of which two have a GPU each."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"other-{number}", "annotations": {"example.com/padding": "x" * PADDING}},
            "spec": {
                "nodeName": node,
                "automountServiceAccountToken": False,
                "containers": [
                    {
                        "name": "other",
                        "image": "other",
                        "resources": {"limits": {"nvidia.com/gpu": "1"}} if number < 2 else {},
                    }
                ],
            },
        }
        for number in range(PODS)
    ]


def bind(namespace: Kubectl, node: str) -> None:
    """Puts a pod that waits on that node, as the scheduler does."""

    def waiting() -> list[Manifest]:
        pods = namespace.pods_of("speech")
        return [pod for pod in pods if not pod["spec"].get("nodeName") and "deletionTimestamp" not in pod["metadata"]]

    eventually("a pod waits", waiting)
    binding = {"metadata": {"name": waiting()[0]["metadata"]["name"]}, "target": {"kind": "Node", "name": node}}
    namespace("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Binding", **binding}))


def terminating(namespace: Kubectl) -> int | None:
    return (namespace.get("deployment", "speech") or {})["status"].get("terminatingReplicas")
