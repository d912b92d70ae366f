"""Two operators in one cluster: each reconciles the services of its class, and leaves the other's alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from testbed import audit
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually

CLASS = "whisper-operator.io/class"


@pytest.fixture(scope="module")
def operators(plane: ControlPlane, kubectl: Kubectl) -> Iterator[None]:
    """The cluster's own, and a canary: in one namespace, each with its Lease and its default image."""
    canary = {"RUNTIME_IMAGE": "canary:1", "SERVICE_CLASS": "canary", "LEASE_NAME": "canary", "RESYNC_SECONDS": "2"}
    found = [
        OperatorProcess(plane, identity="main", settings={"RUNTIME_IMAGE": "main:1", "RESYNC_SECONDS": "2"}),
        OperatorProcess(plane, identity="canary", settings=canary),
    ]
    assert kubectl("get", "crd", "whisperservices.whisper-operator.io")
    for one in found:
        one.start()
    yield
    for one in found:
        one.stop()


def service(name: str, service_class: str | None) -> dict[str, Any]:
    return {
        "apiVersion": "whisper-operator.io/v1alpha1",
        "kind": "WhisperService",
        "metadata": {"name": name, "labels": {CLASS: service_class} if service_class else {}},
        "spec": {"model": {"name": "base"}, "cache": {"type": "EmptyDir"}},
    }


def image(kubectl: Kubectl, name: str) -> str | None:
    """The image of the service's pods, which is the default of the operator that made its Deployment."""
    found = kubectl.get("deployment", name)
    return found["spec"]["template"]["spec"]["containers"][0]["image"] if found else None


@pytest.mark.usefixtures("operators")
def test_each_takes_its_own(plane: ControlPlane, namespace: Kubectl) -> None:
    namespace.apply(service("a", None), service("b", "canary"), service("c", "of-nobody"))
    eventually("a has its pods", lambda: image(namespace, "a") == "main:1")
    eventually("b has its pods", lambda: image(namespace, "b") == "canary:1")
    since = plane.audit_log.stat().st_size

    def requested(verb: str, resource: str) -> list[str]:
        found = audit.requests(plane.audit_log, "operator", since)
        return [one.name for one in found if (one.verb, one.resource) == (verb, resource)]

    eventually("both have listed all services twice", lambda: len(requested("list", "whisperservices")) >= 4)
    assert requested("patch", "deployments") == [], "neither writes what the other has made"
    assert image(namespace, "c") is None


@pytest.mark.usefixtures("operators")
def test_a_service_changes_its_class(namespace: Kubectl) -> None:
    """The pods stay as they are; the new operator takes the service over, and the old one lets it go."""
    namespace.apply(service("speech", None))
    eventually("it has its pods", lambda: image(namespace, "speech") == "main:1")
    namespace("label", "wsvc", "speech", f"{CLASS}=canary")
    namespace("patch", "wsvc", "speech", "--type=merge", "-p", '{"spec": {"service": {"port": 8080}}}')

    def port() -> int:
        found = namespace.get("service", "speech")
        assert found is not None
        return found["spec"]["ports"][0]["port"]

    eventually("the change is followed", lambda: port() == 8080)
    assert image(namespace, "speech") == "main:1"
