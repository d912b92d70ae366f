"""What the API server or a policy made of an apply is left alone, unwritten."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.at_rest import at_rest, touched, writes
from tests.support.deployment_edits import edit, names, pod, rename_container, run_something_else, server
from tests.support.kubectl import Kubectl
from tests.support.services import (
    EMPTY_DIR,
    IMAGE_VOLUME,
    complete_fetch,
    fetch_job,
    fetch_job_after,
    patch,
    service,
)
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("running")

EXPLICIT: Manifest = {
    "spec": {
        "hostNetwork": False,
        "shareProcessNamespace": False,
        "containers": [
            {
                "name": "server",
                "stdin": False,
                "securityContext": {"privileged": False},
                "livenessProbe": {"initialDelaySeconds": 0},
                "env": [{"name": "EMPTY", "value": ""}],
                "volumeMounts": [{"name": "models", "mountPath": "/models", "readOnly": False}],
            }
        ],
    }
}
"""Values that the API server drops, for they are its defaults."""
CONTAINERS = "object.spec.template.spec.containers"
TOLERATION = (
    "!object.spec.template.spec.tolerations.exists(one, one.key == 'policy')",
    "[JSONPatch{op: 'add', path: '/spec/template/spec/tolerations/-', value: "
    "Object.spec.template.spec.tolerations{key: 'policy', operator: 'Exists'}}]",
)
SIDECAR = (
    f"!{CONTAINERS}.exists(one, one.name == 'proxy')",
    "[JSONPatch{op: 'add', path: '/spec/template/spec/containers/-', value: "
    "Object.spec.template.spec.containers{name: 'proxy', image: 'proxy'}}]",
)
PULL = (
    f"{CONTAINERS}[0].imagePullPolicy != 'Always'",
    "[JSONPatch{op: 'replace', path: '/spec/template/spec/containers/0/imagePullPolicy', value: 'Always'}]",
)
LABEL = (
    "object.metadata.labels['app.kubernetes.io/managed-by'] != 'platform'",
    "[JSONPatch{op: 'replace', path: '/metadata/labels/app.kubernetes.io~1managed-by', value: 'platform'}]",
)
FENCE = (
    "!has(object.spec.template.spec.nodeSelector)",
    "[JSONPatch{op: 'add', path: '/spec/template/spec/nodeSelector', value: {'pool': 'policy'}}, "
    "JSONPatch{op: 'add', path: '/spec/template/spec/shareProcessNamespace', value: false}, "
    "JSONPatch{op: 'add', path: '/spec/template/spec/containers/0/securityContext/runAsUser', value: 1000}]",
)
INJECTED = (
    f"!{CONTAINERS}.exists(one, one.name == 'injected')",
    "[JSONPatch{op: 'add', path: '/spec/template/spec/containers/0/env/1', value: "
    "Object.spec.template.spec.containers.env{name: 'INJECTED', value: '1'}}, "
    "JSONPatch{op: 'add', path: '/spec/template/spec/containers/0', value: "
    "Object.spec.template.spec.containers{name: 'injected', image: 'proxy'}}, "
    "JSONPatch{op: 'add', path: '/spec/template/spec/initContainers/0', value: "
    "Object.spec.template.spec.initContainers{name: 'injected-init', image: 'proxy'}}]",
)
"""Before what is ours, and in its midst."""
TOLERATING: Manifest = {"scheduling": {"tolerations": [{"key": "gpu", "operator": "Exists"}]}}


@pytest.mark.parametrize(
    ("changes", "spec"),
    [
        ([], {"podTemplate": EXPLICIT}),
        ([TOLERATION], TOLERATING),
        ([SIDECAR, PULL], {}),
        ([LABEL], {}),
        ([FENCE], {}),
        ([INJECTED], {}),
        ([TOLERATION, SIDECAR, LABEL], {**TOLERATING, "podTemplate": EXPLICIT}),
        ([], IMAGE_VOLUME),
    ],
    ids=[
        "explicit defaults",
        "a toleration",
        "a sidecar and a pull policy",
        "a label",
        "nodes and a user",
        "before ours and in its midst",
        "all of them",
        "image volume",
    ],
)
def test_what_is_made_of_an_apply_is_not_written_again(
    namespace: Kubectl,
    plane: ControlPlane,
    running: OperatorProcess,
    policy: Callable[[str, str, str], None],
    changes: list[tuple[str, str]],
    spec: dict[str, Any],
) -> None:
    for condition, operations in changes:
        policy("deployments", condition, operations)
    eventually("the policies work", lambda: all(mutates(namespace, *change) for change in changes))
    namespace.apply(service("speech", **{**EMPTY_DIR, **spec}))
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    since = touched(plane, namespace, "wsvc", "deployment")
    assert writes(plane, namespace, since, "deployments") == []
    running.stop()
    running.start()
    at_rest(plane, namespace)
    assert writes(plane, namespace, since, "deployments") == [], "after a restart neither"
    told = namespace.condition("speech", "ChildrenMutated").get("message", "")
    assert ("Deployment/speech in " in told) is bool(changes), "what the API server leaves out means the same"
    edit(namespace, run_something_else)
    eventually("an edit is put right nevertheless", lambda: "command" not in server(namespace))
    edit(namespace, rename_container)
    eventually("a renamed container, too", lambda: "server2" not in names(pod(namespace)["containers"]))
    at_rest(plane, namespace)


def mutates(namespace: Kubectl, condition: str, operations: str) -> bool:
    """Whether the policy works already: the API server takes a moment to know it."""
    container = {
        "name": "web",
        "image": "web",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"runAsNonRoot": True},
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    }
    first = {"name": "first", "image": "web"}
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {
            "containers": [container],
            "initContainers": [first],
            "tolerations": [{"key": "x", "operator": "Exists"}],
        },
    }
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "probe", "labels": {"app.kubernetes.io/managed-by": "x"}},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    found = json.loads(namespace("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(body)))
    spec = found["spec"]["template"]["spec"]
    match (condition, operations):
        case change if change == TOLERATION:
            return len(spec["tolerations"]) == 2
        case change if change in (SIDECAR, INJECTED):
            return len(spec["containers"]) == 2
        case change if change == PULL:
            return spec["containers"][0]["imagePullPolicy"] == "Always"
        case change if change == FENCE:
            return "nodeSelector" in spec
        case _:
            return found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "platform"


APPLIED = "whisper-operator.io/applied"
STRIPPED = (
    f"has(object.metadata.annotations) && '{APPLIED}' in object.metadata.annotations",
    f"[JSONPatch{{op: 'remove', path: '/metadata/annotations/{APPLIED.replace('/', '~1')}'}}]",
)


def test_a_policy_that_takes_annotations_away_causes_no_writes(
    namespace: Kubectl, plane: ControlPlane, policy: Callable[[str, str, str], None]
) -> None:
    """Also that by which the operator knows what it applied: the same Job goes on fetching."""
    for resource in ("deployments", "jobs"):
        policy(resource, *STRIPPED)
    eventually("the policies work", lambda: strips(namespace, "deployment") and strips(namespace, "job"))
    namespace.apply(service("speech"))
    before = fetch_job(namespace)
    assert APPLIED not in before["metadata"].get("annotations", {})
    assert rewritten(plane, namespace, "jobs") == []
    assert fetch_job(namespace)["metadata"]["uid"] == before["metadata"]["uid"]
    complete_fetch(namespace, "speech")
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    assert rewritten(plane, namespace, "deployments") == []
    patch(namespace, "speech", {"server": {"env": [{"name": "MORE", "value": "1"}]}})
    eventually("a variable comes", lambda: "MORE" in names(server(namespace)["env"]))
    patch(namespace, "speech", {"server": None})
    eventually("and goes", lambda: "MORE" not in names(server(namespace)["env"]))


def test_a_policy_that_takes_annotations_away_keeps_no_job_from_its_end(
    namespace: Kubectl, policy: Callable[[str, str, str], None]
) -> None:
    """A Job that is not wanted any more, with a template that nobody may change."""
    policy("jobs", *STRIPPED)
    eventually("the policy works", lambda: strips(namespace, "job"))
    namespace.apply(service("speech", prefetch={"podTemplate": {"spec": {"nodeSelector": {"pool": "none"}}}}))
    before = fetch_job(namespace)
    patch(namespace, "speech", {"prefetch": None})
    assert "nodeSelector" not in fetch_job_after(namespace, before)["spec"]["template"]["spec"]


def rewritten(plane: ControlPlane, namespace: Kubectl, resource: str) -> list[str]:
    """The operator's writes of that resource in three passes, of which nothing asks for one."""
    return writes(plane, namespace, touched(plane, namespace, "wsvc"), resource)


def strips(namespace: Kubectl, kind: str) -> bool:
    """Whether the policy works already for that kind."""
    image = ("create", kind, "probe", "--image=web", "--dry-run=client", "-o", "json")
    body = json.loads(namespace(*image))
    body["metadata"]["annotations"] = {APPLIED: "x"}
    return APPLIED not in namespace("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(body))


OF_OTHER_KINDS = {
    "services": (
        "!object.spec.ports.exists(one, one.name == 'policy')",
        "[JSONPatch{op: 'add', path: '/spec/ports/-', value: Object.spec.ports{name: 'policy', port: 9999}}]",
    ),
    "ingresses": (
        "object.spec.ingressClassName != 'policy'",
        "[JSONPatch{op: 'replace', path: '/spec/ingressClassName', value: 'policy'}]",
    ),
    "horizontalpodautoscalers": (
        "object.spec.maxReplicas != 7",
        "[JSONPatch{op: 'replace', path: '/spec/maxReplicas', value: 7}]",
    ),
    "poddisruptionbudgets": LABEL,
    "networkpolicies": (
        "!object.spec.ingress.exists(one, has(one.ports) && one.ports.exists(port, port.port == 9999))",
        "[JSONPatch{op: 'add', path: '/spec/ingress/-', value: Object.spec.ingress{ports: "
        "[Object.spec.ingress.ports{port: 9999}]}}]",
    ),
    "serviceaccounts": LABEL,
}
"""By resource: what a policy makes of every write of it."""


def test_what_policies_make_of_other_kinds_is_not_written_again(
    namespace: Kubectl, plane: ControlPlane, running: OperatorProcess, policy: Callable[[str, str, str], None]
) -> None:
    """Given policies that come after the service."""
    ingress = {"className": "theirs", "host": f"{namespace.namespace}.example.com"}
    spec = {"ingress": ingress, "autoscaling": {}, "disruption": {"maxUnavailable": 1}, "networkPolicy": {}}
    namespace.apply(service("speech", **EMPTY_DIR, **spec))
    for resource in OF_OTHER_KINDS:
        eventually(f"{resource}: it is there", lambda resource=resource: namespace.get(resource, "speech"))
    for resource, change in OF_OTHER_KINDS.items():
        policy(resource, *change)
    for resource in OF_OTHER_KINDS:
        eventually(f"{resource}: it is let be", lambda resource=resource: is_let_be(namespace, resource), 120)
    at_rest(plane, namespace)
    since = plane.audit_log.stat().st_size
    for resource in OF_OTHER_KINDS:
        touch(namespace, resource)
    at_rest(plane, namespace)
    running.stop()
    running.start()
    at_rest(plane, namespace)
    assert [one for kind in OF_OTHER_KINDS for one in writes(plane, namespace, since, kind)] == []


def is_let_be(namespace: Kubectl, resource: str) -> bool:
    """Whether the status names the child of that resource, once somebody's write has had it changed."""
    touch(namespace, resource)
    kind = (namespace.get(resource, "speech") or {})["kind"]
    return f"{kind}/speech in " in namespace.condition("speech", "ChildrenMutated").get("message", "")


def touch(namespace: Kubectl, resource: str) -> None:
    namespace.annotate(resource, "speech", touched=time.monotonic())
