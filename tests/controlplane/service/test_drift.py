"""What somebody edited is put right; what the API server or a policy made of an apply is left alone, unwritten."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.at_rest import at_rest, writes
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
from tests.support.waiting import awaited, eventually
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


@pytest.fixture
def speech(namespace: Kubectl) -> Kubectl:
    """Given a service that is as its spec asks for."""
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    return namespace


def pod(namespace: Kubectl) -> Manifest:
    return (namespace.get("deployment", "speech") or {})["spec"]["template"]["spec"]


def server(namespace: Kubectl) -> Manifest:
    return server_of(pod(namespace))


def server_of(spec: Manifest) -> Manifest:
    return next(one for one in spec["containers"] if one["name"] == "server")


def names(items: list[Manifest]) -> set[str]:
    return {one["name"] for one in items}


def edit(namespace: Kubectl, change: Callable[[Manifest], None], kind: str = "deployment") -> None:
    """As `kubectl edit` does: a patch, under a field manager that is not ours."""
    spec = (namespace.get(kind, "speech") or {})["spec"]
    change(spec["template"]["spec"] if kind == "deployment" else spec)
    namespace.patch(kind, "speech", {"spec": spec})


def rename_container(spec: Manifest) -> None:
    server_of(spec)["name"] = "server2"


def rename_volume(spec: Manifest) -> None:
    containers = (*spec["containers"], *spec["initContainers"])
    for item in (*spec["volumes"], *(mount for one in containers for mount in one["volumeMounts"])):
        item["name"] = f"{item['name']}-2"


def move_mount(spec: Manifest) -> None:
    spec["containers"][0]["volumeMounts"][0]["mountPath"] = "/elsewhere"


def rename_variable(spec: Manifest) -> None:
    spec["containers"][0]["env"][0]["name"] += "_2"


def point_variable_elsewhere(spec: Manifest) -> None:
    variable = next(one for one in spec["containers"][0]["env"] if "value" in one)
    del variable["value"]
    variable["valueFrom"] = {"fieldRef": {"fieldPath": "metadata.name"}}


def renumber_port(spec: Manifest) -> None:
    spec["containers"][0]["ports"][0]["containerPort"] += 1


def mount_the_node(spec: Manifest) -> None:
    volume = spec["volumes"][0]
    name = volume["name"]
    volume.clear()
    volume.update({"name": name, "hostPath": {"path": "/tmp"}})


def add_container(spec: Manifest) -> None:
    spec["containers"].append({"name": "miner", "image": "miner"})


def add_init_container(spec: Manifest) -> None:
    spec["initContainers"] = [*spec.get("initContainers", ()), {"name": "miner", "image": "miner"}]


def run_something_else(spec: Manifest) -> None:
    server_of(spec)["command"] = ["sleep", "1000"]


def take_rights(spec: Manifest) -> None:
    spec["containers"][0]["securityContext"]["capabilities"]["add"] = ["SYS_ADMIN"]


def become_root(spec: Manifest) -> None:
    """The container's word goes before the pod's, which says runAsNonRoot."""
    spec["containers"][0]["securityContext"].update({"runAsNonRoot": False, "runAsUser": 0})


def share_processes(spec: Manifest) -> None:
    spec["shareProcessNamespace"] = True


def rename_hosts(spec: Manifest) -> None:
    spec["hostAliases"] = [{"ip": "192.0.2.1", "hostnames": ["huggingface.co"]}]


def go_elsewhere(spec: Manifest) -> None:
    spec["nodeSelector"] = {"pool": "other"}
    spec["tolerations"] = [{"operator": "Exists"}]


def probe_differently(spec: Manifest) -> None:
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        spec["containers"][0][probe] = {"tcpSocket": {"port": 1}, "periodSeconds": 7}


def probe_what_first_runs(spec: Manifest) -> None:
    """A field that ours does not have, in a container that is one of ours."""
    spec["initContainers"][0]["terminationMessagePolicy"] = "FallbackToLogsOnError"


def resolve_names_elsewhere(spec: Manifest) -> None:
    spec["dnsPolicy"] = "Default"


def take_more(spec: Manifest) -> None:
    resources = spec["containers"][0]["resources"]
    resources["limits"] = {**resources.get("limits", {}), "ephemeral-storage": "1Mi"}
    resources["requests"]["cpu"] = "31"


def end_at_once(spec: Manifest) -> None:
    spec["terminationGracePeriodSeconds"] = 1


def argue(spec: Manifest) -> None:
    spec["containers"][0]["args"] = ["--help"]
    spec["containers"][0]["workingDir"] = "/tmp"


def hook(spec: Manifest) -> None:
    spec["containers"][0]["lifecycle"] = {"postStart": {"exec": {"command": ["true"]}}}


def read_variables_from_elsewhere(spec: Manifest) -> None:
    spec["containers"][0]["envFrom"] = [{"configMapRef": {"name": "theirs"}}]


def set_what_the_api_server_would(spec: Manifest) -> None:
    """Fields to which the API server gives values when they are absent."""
    spec.update({"schedulerName": "theirs", "enableServiceLinks": True, "hostname": "theirs", "subdomain": "theirs"})
    spec["containers"][0].update({"imagePullPolicy": "Never", "terminationMessagePath": "/tmp/message"})


def keep_a_volume(spec: Manifest) -> None:
    spec["volumes"].append({"name": "more", "emptyDir": {}})
    spec["containers"][0]["volumeMounts"].append({"name": "more", "mountPath": "/more"})


EDITS = [
    probe_differently,
    probe_what_first_runs,
    resolve_names_elsewhere,
    take_more,
    end_at_once,
    argue,
    hook,
    read_variables_from_elsewhere,
    set_what_the_api_server_would,
    keep_a_volume,
    rename_container,
    rename_volume,
    move_mount,
    rename_variable,
    point_variable_elsewhere,
    renumber_port,
    mount_the_node,
    add_container,
    add_init_container,
    run_something_else,
    take_rights,
    become_root,
    share_processes,
    rename_hosts,
    go_elsewhere,
]


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
    at_rest(plane, speech)
    since = plane.audit_log.stat().st_size
    for number in range(3):
        speech.annotate("deployment", "speech", touched=number)
    at_rest(plane, speech)
    assert writes(plane, speech, since, "deployments") == []


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
    at_rest(plane, namespace)
    since = plane.audit_log.stat().st_size
    for number in range(3):
        namespace.annotate("wsvc", "speech", touched=number)
        namespace.annotate("deployment", "speech", touched=number)
    at_rest(plane, namespace)
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
    at_rest(plane, namespace)
    since = plane.audit_log.stat().st_size
    for number in range(3):
        namespace.annotate("wsvc", "speech", touched=number)
    at_rest(plane, namespace)
    return writes(plane, namespace, since, resource)


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
