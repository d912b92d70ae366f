"""A spec that cannot be accepted leaves the last accepted one in force: its objects are repaired, its state is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.later_version import OF_LATER_VERSION, of_later_version
from tests.support.services import EMPTY_DIR, patch, port_of, reason, service
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("running")


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
HARM = [deleted, edited, scaled, service_deleted]


@pytest.mark.usefixtures("later_version")
@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_drift_is_repaired_while_the_spec_is_refused(namespace: Kubectl, harm: Callable[[Kubectl], None]) -> None:
    namespace.apply(service("speech", **SPEC))
    eventually(
        "its pods are there", lambda: "2 up to date" in namespace.condition("speech", "Available").get("message", "")
    )
    judged = namespace.condition("speech", "Available")
    patch(namespace, "speech", {**OF_LATER_VERSION, "language": "fr"})
    eventually("it is refused", lambda: reason(namespace, "speech", "Stalled") == "InvalidSpec")
    assert reason(namespace, "speech", "Ready") == "InvalidSpec"
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
        patch(namespace, "speech", OF_LATER_VERSION)
        running.start()
        eventually("it is refused", lambda: reason(namespace, "speech", "Stalled") == "InvalidSpec")
        assert "spec.future" in namespace.condition("speech", "Stalled")["message"]
        running.stop()
    running.start()
    eventually("nothing stalls", lambda: namespace.condition("speech", "Stalled") == {})
    assert "future" not in (namespace.get("wsvc", "speech") or {})["spec"]
    patch(namespace, "speech", {"service": {"port": 8081}})
    eventually("the spec is followed", lambda: port_of(namespace) == 8081)
    after = (namespace.get("deployment", "speech") or {})["metadata"]
    assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])


@pytest.mark.usefixtures("later_version")
def test_a_restarted_operator_still_knows_what_was_accepted(namespace: Kubectl, running: OperatorProcess) -> None:
    namespace.apply(service("speech", **SPEC))
    eventually("it is judged", lambda: namespace.condition("speech", "Available"))
    patch(namespace, "speech", {**OF_LATER_VERSION, "replicas": 1})
    eventually("it is refused", lambda: reason(namespace, "speech", "Stalled") == "InvalidSpec")
    running.stop()
    namespace("delete", "deployment,service", "speech")
    running.start()
    eventually("all is repaired", lambda: is_whole(namespace))
    patch(namespace, "speech", {"future": None})
    eventually("the spec is followed", lambda: (namespace.get("deployment", "speech") or {})["spec"]["replicas"] == 1)
    eventually("nothing stalls", lambda: namespace.condition("speech", "Stalled") == {})


@pytest.mark.usefixtures("later_version")
def test_a_spec_that_was_refused_from_the_start_makes_nothing(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **SPEC, **OF_LATER_VERSION))
    eventually("it is refused", lambda: reason(namespace, "speech", "Stalled") == "InvalidSpec")
    assert namespace.get("deployment", "speech") is None
    assert "accepted" not in (namespace.get("wsvc", "speech") or {})["status"]
