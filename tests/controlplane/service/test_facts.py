"""Preflight on a real API server: each lack is told with its remedy, and heals when the facts change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.kubectl import Kubectl
from tests.support.kubelet import report_node
from tests.support.services import EMPTY_DIR, reason, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("running")

TLS = {"ingress": {"host": "tls.example.com", "tls": {"secretName": "cert"}}}
PAIR = ("--from-literal=tls.crt=a", "--from-literal=tls.key=b")


def told(namespace: Kubectl, why: str, says: str) -> None:
    eventually(f"{why} is told", lambda: reason(namespace, "speech", "PreflightPassed") == why)
    assert says in namespace.condition("speech", "PreflightPassed")["message"]


def passes(namespace: Kubectl) -> None:
    eventually("it passes", lambda: reason(namespace, "speech", "PreflightPassed") == "ChecksPassed")


def test_a_tls_secret_that_is_missing_and_then_wrong(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, **TLS))
    told(namespace, "TlsSecretInvalid", "does not exist: create it with `kubectl create secret tls`")
    namespace("create", "secret", "generic", "cert", "--from-literal=tls.crt=a")
    eventually("the key is missed", lambda: "no tls.key" in message(namespace), seconds=90)
    namespace("delete", "secret", "cert")
    namespace("create", "secret", "generic", "cert", *PAIR)
    eventually("it passes", lambda: reason(namespace, "speech", "PreflightPassed") == "ChecksPassed", seconds=90)


def message(namespace: Kubectl) -> str:
    return namespace.condition("speech", "PreflightPassed").get("message", "")


def test_a_sources_secret_that_is_missing_is_found_when_it_comes(namespace: Kubectl) -> None:
    source = {"url": "https://models.example.com/mine.pt", "sha256": "a" * 64, "secretRef": {"name": "token"}}
    namespace.apply(service("speech", model={"name": "mine", "source": source}))
    told(namespace, "SourceSecretInvalid", "does not exist: create it, with the key token")
    assert namespace.get("pvc", "speech-models") is None
    namespace("create", "secret", "generic", "token", "--from-literal=token=a")
    eventually("it passes", lambda: reason(namespace, "speech", "PreflightPassed") == "ChecksPassed", seconds=90)


def test_a_presigned_url_is_nowhere_but_in_its_secret(namespace: Kubectl) -> None:
    held = {"urlSecretKeyRef": {"name": "presigned", "key": "url"}, "sha256": "a" * 64}
    namespace.apply(service("speech", model={"name": "mine", "source": held}))
    told(namespace, "SourceSecretInvalid", "named in spec.model.source.urlSecretKeyRef, does not exist: create it")
    url = "https://models.example.com/mine.pt?X-Amz-Signature=hunter2"
    namespace("create", "secret", "generic", "presigned", f"--from-literal=url={url}")
    eventually("it is fetched", lambda: namespace.list("jobs", "app.kubernetes.io/component=prefetch"), seconds=90)
    (job,) = namespace.list("jobs", "app.kubernetes.io/component=prefetch")
    volumes = {one["name"]: one for one in job["spec"]["template"]["spec"]["volumes"]}
    assert volumes["source-url"]["secret"]["items"] == [{"key": "url", "path": "url"}]
    everything = namespace("get", "all,wsvc,pvc,events", "--output", "json")
    assert "models.example.com" not in everything
    assert "hunter2" not in everything


def test_a_host_that_another_ingress_has(namespace: Kubectl) -> None:
    namespace("create", "ingress", "web", "--rule=taken.example.com/=web:80")
    namespace.apply(service("speech", **EMPTY_DIR, ingress={"host": "taken.example.com"}))
    told(namespace, "HostTaken", f"is taken by Ingress {namespace.namespace}/web: choose another")
    assert namespace.get("ingress", "speech") is None
    namespace("delete", "ingress", "web")
    passes(namespace)
    eventually("the host is ours", lambda: namespace.get("ingress", "speech"))


def test_a_storage_class_that_is_missing(namespace: Kubectl) -> None:
    namespace.apply(service("speech", cache={"storageClassName": "fast"}))
    told(namespace, "StorageClassNotFound", "StorageClass fast, named in spec.cache.storageClassName, does not exist")
    assert namespace.get("pvc", "speech-models") is None
    fast = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}}
    with there(namespace, fast | {"provisioner": "example.com/none"}):
        passes(namespace)
        eventually("the claim is made", lambda: namespace.get("pvc", "speech-models"))


def test_a_quota_that_is_used_up(namespace: Kubectl) -> None:
    namespace("create", "quota", "team", "--hard=requests.memory=1Gi")
    eventually("the quota counts", lambda: (namespace.get("quota", "team") or {}).get("status", {}).get("hard"))
    namespace.apply(service("speech", **EMPTY_DIR))
    told(namespace, "QuotaExceeded", "ResourceQuota team leaves 1073741824: raise the quota")
    namespace("patch", "quota", "team", "--type=merge", "-p", '{"spec": {"hard": {"requests.memory": "64Gi"}}}')
    passes(namespace)


def test_a_limit_range_that_is_too_narrow(namespace: Kubectl) -> None:
    limit = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}}
    namespace.apply(limit | {"spec": {"limits": [{"type": "Container", "max": {"memory": "1Gi"}}]}})
    namespace.apply(service("speech", **EMPTY_DIR))
    told(namespace, "LimitRangeViolated", "more memory than LimitRange small allows")
    namespace("delete", "limitrange", "small")
    passes(namespace)


def test_gpus_that_are_missing_and_too_few(namespace: Kubectl) -> None:
    namespace.apply(service("speech", gpu={}, replicas=3, **EMPTY_DIR))
    told(namespace, "GpuNotFound", "no node offers nvidia.com/gpu")
    with there(namespace, node("one")):
        offer(namespace, "one", gpus=2)
        told(namespace, "InsufficientGpu", "3 pods need nvidia.com/gpu")
        with there(namespace, node("two")):
            offer(namespace, "two", gpus=1)
            passes(namespace)


def test_an_access_mode_that_more_pods_would_need(namespace: Kubectl) -> None:
    once = {"accessModes": ["ReadWriteOncePod"], "resources": {"requests": {"storage": "10Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "shared"}, "spec": once}
    namespace.apply(claim, service("speech", replicas=2, cache={"existingClaim": "shared"}))
    told(namespace, "AccessModeTooNarrow", "claim shared can be mounted by only one pod, and up to 2 may run")
    namespace("scale", "wsvc", "speech", "--replicas=1")
    passes(namespace)


def node(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}


def offer(namespace: Kubectl, name: str, gpus: int) -> None:
    """As a kubelet and a device plugin report."""
    report_node(namespace, name, **{"nvidia.com/gpu": str(gpus)})


@contextmanager
def there(namespace: Kubectl, body: Manifest) -> Iterator[None]:
    """An object of the whole cluster, for a while."""
    namespace.apply(body)
    try:
        yield
    finally:
        namespace("delete", body["kind"], body["metadata"]["name"])
