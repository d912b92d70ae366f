"""A spec that cannot be accepted leaves the last accepted one in force: its objects are repaired, its state is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from testbed.operator_process import OperatorProcess
from testbed.paths import REPOSITORY
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("running")

CRD = "customresourcedefinition/whisperservices.whisper-operator.io"


@contextmanager
def of_later_version(kubectl: Kubectl) -> Generator[None, None, None]:
    """The API of a later version, which has a field that this operator does not know."""
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/future"
    field = [{"op": "add", "path": path, "value": {"type": "string"}}]
    kubectl("patch", CRD, "--type=json", "-p", json.dumps(field))
    eventually("the field is served", lambda: is_taken(kubectl, service("probe", future="x")))
    yield
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(REPOSITORY / "crds"))
    eventually("the field is gone", lambda: not is_taken(kubectl, service("probe", future="x")))


@pytest.fixture
def later_version(kubectl: Kubectl) -> Iterator[None]:
    with of_later_version(kubectl):
        yield


def is_taken(kubectl: Kubectl, body: Manifest) -> bool:
    """Whether the API server knows every field of `body`."""
    try:
        kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(body))
    except KubectlError:
        return False
    return True


def deleted(namespace: Kubectl) -> None:
    namespace("delete", "deployment", "speech")


def edited(namespace: Kubectl) -> None:
    namespace("set", "env", "deployment/speech", "WHISPER_LANGUAGE=xx")


def scaled(namespace: Kubectl) -> None:
    namespace("scale", "deployment/speech", "--replicas=7")


def service_deleted(namespace: Kubectl) -> None:
    namespace("delete", "service", "speech")


def is_whole(namespace: Kubectl) -> bool:
    """Whether the service's objects are as its first spec says."""
    deployment, clients = namespace.get("deployment", "speech"), namespace.get("service", "speech")
    if deployment is None or clients is None:
        return False
    (server,) = deployment["spec"]["template"]["spec"]["containers"]
    language = {one["name"]: one.get("value") for one in server["env"]}.get("WHISPER_LANGUAGE")
    return (deployment["spec"]["replicas"], language, clients["spec"]["ports"][0]["port"]) == (2, "en", 8080)


SPEC: dict[str, Any] = {**EMPTY_DIR, "replicas": 2, "language": "en", "service": {"port": 8080}}
UNSUPPORTED: dict[str, Any] = {"resultCache": {}, "redis": {"secretKeyRef": {"name": "redis", "key": "url"}}}
"""Parts of which one is not implemented."""
HARM = [deleted, edited, scaled, service_deleted]


@pytest.mark.usefixtures("later_version")
@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
@pytest.mark.parametrize(
    ("refused", "why"),
    [(UNSUPPORTED, "NotImplemented"), ({"future": "x", "language": "fr"}, "InvalidSpec")],
    ids=["not implemented", "of a later version"],
)
def test_drift_is_repaired_while_the_spec_is_refused(
    namespace: Kubectl, harm: Callable[[Kubectl], None], refused: dict[str, Any], why: str
) -> None:
    namespace.apply(service("speech", **SPEC))
    eventually(
        "its pods are there", lambda: "2 up to date" in namespace.condition("speech", "Available").get("message", "")
    )
    judged = namespace.condition("speech", "Available")
    patch(namespace, "speech", refused)
    eventually("it is refused", lambda: reason(namespace, "speech", "Stalled") == why)
    assert reason(namespace, "speech", "Ready") == why
    assert namespace.condition("speech", "Ready")["observedGeneration"] == 2
    assert namespace.condition("speech", "Available") == judged, "which nothing has judged by the refused spec"
    harm(namespace)
    eventually("all is repaired", lambda: is_whole(namespace))
    assert namespace.condition("speech", "Available")["observedGeneration"] == 1


def test_a_field_of_a_later_version_goes_with_it_and_no_pod_restarts(
    kubectl: Kubectl, namespace: Kubectl, running: OperatorProcess
) -> None:
    """As helm does it, there and back: the definition first, and then the operator is another one.

    A watch that was open before goes on for a while to leave out what the old definition did not have.
    """
    namespace.apply(service("speech", **SPEC))
    eventually("it is judged", lambda: namespace.condition("speech", "Available"))
    before = (namespace.get("deployment", "speech") or {})["metadata"]
    running.stop()
    with of_later_version(kubectl):
        patch(namespace, "speech", {"future": "x"})
        running.start()
        eventually("it is refused", lambda: reason(namespace, "speech", "Stalled") == "InvalidSpec")
        assert "spec.future" in namespace.condition("speech", "Stalled")["message"]
        running.stop()
    running.start()
    eventually("nothing stalls", lambda: namespace.condition("speech", "Stalled") == {})
    assert "future" not in (namespace.get("wsvc", "speech") or {})["spec"]
    patch(namespace, "speech", {"service": {"port": 8081}})
    eventually("the spec is followed", lambda: port(namespace) == 8081)
    after = (namespace.get("deployment", "speech") or {})["metadata"]
    assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])


def port(namespace: Kubectl) -> int:
    return (namespace.get("service", "speech") or {})["spec"]["ports"][0]["port"]


def test_a_restarted_operator_still_knows_what_was_accepted(namespace: Kubectl, running: OperatorProcess) -> None:
    namespace.apply(service("speech", **SPEC))
    eventually("it is judged", lambda: namespace.condition("speech", "Available"))
    patch(namespace, "speech", {**UNSUPPORTED, "replicas": 1})
    eventually("it is refused", lambda: reason(namespace, "speech", "Stalled") == "NotImplemented")
    running.stop()
    namespace("delete", "deployment,service", "speech")
    running.start()
    eventually("all is repaired", lambda: is_whole(namespace))
    patch(namespace, "speech", {"resultCache": None, "redis": None})
    eventually("the spec is followed", lambda: (namespace.get("deployment", "speech") or {})["spec"]["replicas"] == 1)
    eventually("nothing stalls", lambda: namespace.condition("speech", "Stalled") == {})


def test_a_spec_that_was_refused_from_the_start_makes_nothing(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **SPEC, **UNSUPPORTED))
    eventually("it is refused", lambda: reason(namespace, "speech", "Stalled") == "NotImplemented")
    assert namespace.get("deployment", "speech") is None
    assert "accepted" not in (namespace.get("wsvc", "speech") or {})["status"]
