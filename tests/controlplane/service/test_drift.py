"""What somebody edited is put right."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.at_rest import at_rest, touched, writes
from tests.support.deployment_edits import (
    EDITS,
    edit,
    hook,
    names,
    pod,
    probe_differently,
    rename_container,
    rename_variable,
    resolve_names_elsewhere,
    run_something_else,
    server,
)
from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, fetch_job, patch, service
from tests.support.waiting import awaited, eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("running")


@pytest.fixture
def speech(namespace: Kubectl) -> Kubectl:
    """Given a service that is as its spec asks for."""
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    return namespace


def test_a_pod_template_that_somebody_edited_is_put_right(speech: Kubectl) -> None:
    """Whatever the edit: nothing of it stays, nothing of ours is missing, and no trace keeps later changes out."""
    before = pod(speech)
    for change in EDITS:
        edit(speech, change)
        eventually(f"{change.__name__} is put right", lambda: in_order(pod(speech)) == in_order(before))
    managers = speech.get_with_managers("deployment", "speech")["metadata"]["managedFields"]
    assert ("whisper-operator", "Update") not in {(one["manager"], one["operation"]) for one in managers}
    patch(speech, "speech", {"server": {"env": [{"name": "MORE", "value": "1"}]}})
    eventually("a variable comes", lambda: "MORE" in names(server(speech)["env"]))
    patch(speech, "speech", {"server": None})
    eventually("and goes", lambda: "MORE" not in names(server(speech)["env"]))


def test_a_rollout_that_somebody_paused_goes_on(speech: Kubectl) -> None:
    """`spec.paused` of the service is the way to hold changes back, and is told."""
    speech("rollout", "pause", "deployment/speech")
    eventually("it goes on", lambda: "paused" not in (speech.get("deployment", "speech") or {})["spec"])
    patch(speech, "speech", {"language": "en"})
    eventually("a change comes", lambda: "en" in {one.get("value") for one in server(speech)["env"]})


def test_fields_beside_the_template_are_put_right(speech: Kubectl) -> None:
    before = (speech.get("deployment", "speech") or {})["spec"]
    change = {"progressDeadlineSeconds": 7, "minReadySeconds": 3, "revisionHistoryLimit": 0}
    change["strategy"] = {"type": "Recreate", "rollingUpdate": None}
    speech.patch("deployment", "speech", {"spec": change})
    eventually("they are", lambda: (speech.get("deployment", "speech") or {})["spec"] == before)


def test_a_restart_that_somebody_asks_for_is_theirs(speech: Kubectl, plane: ControlPlane) -> None:
    at_rest(plane, speech)
    since = plane.audit_log.stat().st_size
    speech("rollout", "restart", "deployment/speech")
    speech("set", "env", "deployment/speech", "MORE=1")
    eventually("an edit is put right", lambda: "MORE" not in names(server(speech)["env"]))
    at_rest(plane, speech)
    template = (speech.get("deployment", "speech") or {})["spec"]["template"]
    assert "kubectl.kubernetes.io/restartedAt" in template["metadata"]["annotations"]
    assert writes(plane, speech, since, "deployments")


def test_a_deployment_from_a_backup_is_believed_after_one_look(
    speech: Kubectl, plane: ControlPlane, running: OperatorProcess
) -> None:
    """Given one that was created from its own dump: whoever did so owns each default of the API server, too."""
    body = speech.get("deployment", "speech") or {}
    for name in ("uid", "resourceVersion", "generation", "creationTimestamp"):
        del body["metadata"][name]
    running.stop()
    speech("delete", "deployment", "speech")
    speech("create", "-f", "-", stdin=json.dumps(body))
    running.start()
    edit(speech, resolve_names_elsewhere)
    eventually("an edit is put right", lambda: pod(speech)["dnsPolicy"] == "ClusterFirst")
    assert writes(plane, speech, touched(plane, speech, "deployment"), "deployments") == []


JOB_EDITS = [{"suspend": True}, {"parallelism": 0}, {"activeDeadlineSeconds": 1}, {"backoffLimit": 0}]


@pytest.mark.parametrize("change", JOB_EDITS, ids=lambda change: next(iter(change)))
def test_a_fetch_that_somebody_edited_is_put_right_and_goes_on(
    namespace: Kubectl, plane: ControlPlane, change: dict[str, Any]
) -> None:
    """The same Job: a download that has begun is not begun anew."""
    namespace.apply(service("speech"))
    before = fetch_job(namespace)
    at_rest(plane, namespace)
    since, name = plane.audit_log.stat().st_size, before["metadata"]["name"]
    namespace.patch("job", name, {"spec": change})
    eventually("it is put right", lambda: fetch_job(namespace)["spec"] == before["spec"])
    assert fetch_job(namespace)["metadata"]["uid"] == before["metadata"]["uid"]
    at_rest(plane, namespace)
    assert len(writes(plane, namespace, since, "jobs")) <= 2, "a patch, and its owners given up"


def in_order(value: Any) -> Any:
    """`value` with each list of named things by name: an apply appends what was missing."""
    if isinstance(value, dict):
        return {name: in_order(one) for name, one in value.items()}
    if isinstance(value, list):
        return sorted((in_order(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value


def test_a_service_that_somebody_edited_is_put_right(speech: Kubectl) -> None:
    before = (speech.get("service", "speech") or {})["spec"]

    def port(spec: Manifest) -> None:
        spec["ports"][0]["port"] = 81

    def more(spec: Manifest) -> None:
        spec["ports"].append({"name": "more", "port": 82})

    def select(spec: Manifest) -> None:
        spec["selector"]["nobody"] = "has-this"

    def answer_elsewhere(spec: Manifest) -> None:
        spec["externalIPs"] = ["192.0.2.1"]

    def send_early(spec: Manifest) -> None:
        spec["publishNotReadyAddresses"] = True

    def stick(spec: Manifest) -> None:
        spec["sessionAffinity"] = "ClientIP"

    for change in (port, more, select, answer_elsewhere, send_early, stick):
        edit(speech, change, "service")

        def is_right() -> bool:
            return (speech.get("service", "speech") or {})["spec"] == before

        eventually(f"{change.__name__} is put right", is_right)


AT_CREATION = (
    "request.operation == 'CREATE' && object.metadata.name == 'speech'",
    "[JSONPatch{op: 'add', path: '/spec/template/spec/containers/0/securityContext/runAsUser', value: 1000}, "
    "JSONPatch{op: 'add', path: '/spec/template/spec/containers/0/terminationMessagePath', value: '/tmp/message'}]",
)


def created(namespace: Kubectl) -> str:
    """What would become of a Deployment of the service's name."""
    container = {"name": "server", "image": "server", "securityContext": {"runAsNonRoot": True}}
    labels = {"a": "b"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "speech"}, "spec": spec}
    return namespace("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(body))


def test_what_a_policy_added_at_creation_stays_when_an_edit_beside_it_goes(
    namespace: Kubectl, policy: Callable[[str, str, str], None]
) -> None:
    """In the same container, and by a policy that does not come back at the next write."""
    policy("deployments", *AT_CREATION)
    eventually("the policy works", lambda: "/tmp/message" in created(namespace))
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    before = server(namespace)
    assert (before["securityContext"]["runAsUser"], before["terminationMessagePath"]) == (1000, "/tmp/message")
    for change in (run_something_else, rename_variable, hook, probe_differently):
        edit(namespace, change)
        eventually(f"{change.__name__} is put right", lambda: in_order(server(namespace)) == in_order(before))


ADDED_TO_OTHERS: dict[str, Manifest] = {
    "ingress": {"defaultBackend": {"service": {"name": "theirs", "port": {"number": 80}}}},
    "horizontalpodautoscaler": {"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}},
    "poddisruptionbudget": {"unhealthyPodEvictionPolicy": "IfHealthyBudget", "maxUnavailable": 0},
    "networkpolicy": {"policyTypes": ["Ingress"], "egress": [{}]},
}
"""By kind: a patch of what the operator sets, or sets nothing of."""


def test_other_kinds_that_somebody_edited_are_put_right(namespace: Kubectl) -> None:
    ingress = {"className": "theirs", "host": f"{namespace.namespace}.example.com"}
    spec = {"ingress": ingress, "autoscaling": {}, "disruption": {"maxUnavailable": 1}, "networkPolicy": {}}
    namespace.apply(service("speech", **EMPTY_DIR, **spec))
    for kind, change in ADDED_TO_OTHERS.items():
        before = awaited(f"the {kind} is there", lambda kind=kind: namespace.get(kind, "speech"))["spec"]
        namespace.patch(kind, "speech", {"spec": change})

        def is_right(kind: str = kind, before: Manifest = before) -> bool:
            return (namespace.get(kind, "speech") or {})["spec"] == before

        eventually(f"the {kind} is put right", is_right)


def test_what_somebody_states_by_an_apply_stays(speech: Kubectl) -> None:
    sidecar = {"spec": {"containers": [{"name": "proxy", "image": "proxy"}]}}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "speech"},
        "spec": {"template": sidecar},
    }
    speech("apply", "--server-side", "--field-manager=mesh", "-f", "-", stdin=json.dumps(body))
    edit(speech, rename_container)
    eventually("ours is put right", lambda: names(pod(speech)["containers"]) == {"server", "proxy"})
