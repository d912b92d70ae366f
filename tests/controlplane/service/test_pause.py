"""A paused service: the operator looks at it, and leaves everything as it is."""

from __future__ import annotations

import pytest

from testbed import audit
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR
from tests.support.kubectl import Kubectl
from tests.support.later_version import OF_LATER_VERSION
from tests.support.services import EMPTY_DIR, patch, port_of, reason, service
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("running")

KINDS = "serviceaccount,service,deployment,ingress,poddisruptionbudget"


@pytest.fixture
def speech(namespace: Kubectl) -> Kubectl:
    """Given a service as its spec asks for, with an Ingress and a disruption budget."""
    spec = {"ingress": {"host": f"{namespace.namespace}.example.com"}, "disruption": {"maxUnavailable": 1}}
    namespace.apply(service("speech", **EMPTY_DIR, **spec))
    eventually("all is there", lambda: namespace.get("pdb", "speech") and namespace.get("ingress", "speech"))
    return namespace


def says(namespace: Kubectl) -> str:
    return namespace.condition("speech", "Paused").get("message", "")


def replicas(namespace: Kubectl) -> int:
    return (namespace.get("deployment", "speech") or {})["spec"]["replicas"]


def test_nothing_is_written_or_deleted_until_the_pause_ends(speech: Kubectl, plane: ControlPlane) -> None:
    patch(speech, "speech", {"paused": True})
    eventually("it is told", lambda: reason(speech, "speech", "Paused") == "NothingWaits")
    since = plane.audit_log.stat().st_size
    speech("scale", "deployment", "speech", "--replicas=4")
    speech("delete", "pdb", "speech")
    patch(speech, "speech", {"service": {"port": 8080}, "ingress": None})
    waits = ("apply Service/speech", "apply Deployment/speech", "apply PodDisruptionBudget/speech")
    eventually("each change is named", lambda: all(one in says(speech) for one in (*waits, "delete Ingress/speech")))
    assert reason(speech, "speech", "Reconciling") == "ChangesWait"
    assert (replicas(speech), port_of(speech)) == (4, 80)
    assert speech.get("pdb", "speech") is None
    assert speech.get("ingress", "speech") is not None
    written = {
        one.resource for one in audit.writes(plane.audit_log, OPERATOR, since) if one.namespace == speech.namespace
    }
    assert written <= {"whisperservices", "events"}
    patch(speech, "speech", {"paused": False})
    eventually("what was edited is put back", lambda: replicas(speech) == 1)
    eventually("the spec is followed", lambda: port_of(speech) == 8080 and speech.get("ingress", "speech") is None)
    eventually("what was deleted is back", lambda: speech.get("pdb", "speech"))
    eventually("it is told no longer", lambda: reason(speech, "speech", "Paused") == "")


def test_a_service_that_is_created_paused_has_no_object(namespace: Kubectl) -> None:
    namespace.apply(service("speech", paused=True))
    eventually("it is told", lambda: reason(namespace, "speech", "Ready") == "ChangesWait")
    assert namespace.list(f"{KINDS},pvc,job", "whisper-operator.io/service=speech") == []


@pytest.mark.usefixtures("later_version")
def test_a_pause_is_heeded_beside_what_is_refused(speech: Kubectl) -> None:
    patch(speech, "speech", {"paused": True, **OF_LATER_VERSION})
    eventually("the spec is refused", lambda: reason(speech, "speech", "Stalled") == "InvalidSpec")
    speech("delete", "ingress", "speech")
    eventually("that is seen", lambda: "apply Ingress/speech" in says(speech))
    assert speech.get("ingress", "speech") is None
