"""The image that pods and Jobs run is the spec's, or the one that the operator admitted: nobody else's wish."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, fetch_job, patch, service
from tests.support.waiting import eventually
from whisper_operator.objects.manifest import images_of

pytestmark = pytest.mark.usefixtures("running")

DEFAULT, FOREIGN = "runtime:1", "docker.io/example/other:1"
EDITS = {
    "set image": ("set", "image", "deploy/speech", f"server={FOREIGN}"),
    "set all images": ("set", "image", "deploy/speech", f"*={FOREIGN}"),
    "in our name": ("set", "image", "--field-manager=whisper-operator", "deploy/speech", f"server={FOREIGN}"),
    "annotation too": (
        *("patch", "deploy", "speech", "--type=json", "-p"),
        json.dumps(
            [
                {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": FOREIGN},
                {"op": "remove", "path": "/metadata/annotations/whisper-operator.io~1applied"},
            ]
        ),
    ),
    "without field managers": (
        *("patch", "deploy", "speech", "--type=json", "-p"),
        json.dumps(
            [
                {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": FOREIGN},
                {"op": "replace", "path": "/metadata/managedFields", "value": [{}]},
            ]
        ),
    ),
}


def images(namespace: Kubectl) -> set[str]:
    found = namespace.get("deployment", "speech")
    return set(images_of(found["spec"]["template"]).values()) if found else set()


def events(namespace: Kubectl, reason: str) -> list[str]:
    found = json.loads(namespace("get", "events.events.k8s.io", "-o", "json"))["items"]
    return [one["note"] for one in found if one["reason"] == reason]


def admitted(namespace: Kubectl) -> str | None:
    return (namespace.get("wsvc", "speech") or {}).get("status", {}).get("image")


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edited_image_is_put_back_and_an_event_says_so(namespace: Kubectl, edit: tuple[str, ...]) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("the image is on record", lambda: admitted(namespace) == DEFAULT)
    namespace(*edit)
    eventually("it is told", lambda: events(namespace, "ImagePutBack"))
    assert images(namespace) == {DEFAULT}
    assert FOREIGN in events(namespace, "ImagePutBack")[0]
    assert admitted(namespace) == DEFAULT
    patch(namespace, "speech", {"language": "en"})
    eventually("the next change comes", lambda: "value: en" in namespace("get", "deploy", "speech", "-o", "yaml"))
    assert images(namespace) == {DEFAULT}


def test_a_whole_apply_in_the_operators_name_is_put_back_too(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("the image is on record", lambda: admitted(namespace) == DEFAULT)
    body = namespace.get("deployment", "speech") or {}
    del body["metadata"]["resourceVersion"], body["metadata"]["creationTimestamp"], body["metadata"]["generation"]
    body.pop("status")
    for container in body["spec"]["template"]["spec"]["containers"]:
        container["image"] = FOREIGN
    as_us = ("apply", "--server-side", "--force-conflicts", "--field-manager=whisper-operator", "-f", "-")
    namespace(*as_us, stdin=json.dumps(body))
    eventually("it is told", lambda: events(namespace, "ImagePutBack"))
    assert images(namespace) == {DEFAULT}


def test_jobs_run_the_admitted_image_whatever_the_deployment_has(namespace: Kubectl) -> None:
    """Given an edited Deployment that may not be put back, its service's model changes."""
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("the image is on record", lambda: admitted(namespace) == DEFAULT)
    namespace("set", "image", "deploy/speech", f"server={FOREIGN}")
    patch(namespace, "speech", {"cache": {"type": "PersistentVolumeClaim"}})
    assert set(images_of(fetch_job(namespace)["spec"]["template"]).values()) == {DEFAULT}


def test_a_job_that_somebody_made_anew_with_another_image_is_replaced(
    namespace: Kubectl, running: OperatorProcess
) -> None:
    """As by `kubectl replace --force` with an edited dump, while the operator was away: it has our labels and hash."""
    namespace.apply(service("speech"))
    body = fetch_job(namespace)
    name = body["metadata"]["name"]
    running.stop()
    for field in ("uid", "resourceVersion", "creationTimestamp", "generation"):
        body["metadata"].pop(field)
    del body["spec"]["selector"], body["status"]
    for labels in (body["metadata"]["labels"], body["spec"]["template"]["metadata"]["labels"]):
        for label in [one for one in labels if one.endswith("controller-uid")]:
            del labels[label]
    body["spec"]["template"]["spec"]["containers"][0]["image"] = FOREIGN
    namespace("delete", "job", name)
    namespace("create", "-f", "-", stdin=json.dumps(body))
    running.start()
    eventually("it is ours", lambda: set(images_of(fetch_job(namespace)["spec"]["template"]).values()) == {DEFAULT})


def test_an_image_that_somebody_changed_in_the_front_is_put_back_and_told(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, front={}))
    eventually("it is there", lambda: namespace.get("deployment", "speech-front"))
    namespace("set", "image", "deploy/speech-front", f"front={FOREIGN}")
    eventually("it is told", lambda: FOREIGN in "".join(events(namespace, "ImagePutBack")))
    found = namespace.get("deployment", "speech-front") or {}
    assert set(images_of(found["spec"]["template"]).values()) == {DEFAULT}


def test_an_image_that_somebody_changed_in_a_pod_is_told_until_the_pod_has_gone(namespace: Kubectl) -> None:
    """The operator may not write pods, and the Deployment's controller compares no images."""
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("a pod is there", lambda: namespace.pods_of("speech"))
    pod = namespace.pods_of("speech")[0]["metadata"]["name"]
    assert namespace.condition("speech", "PodsEdited") == {}
    namespace("set", "image", f"pod/{pod}", f"server={FOREIGN}")
    eventually("it is told", lambda: pod in namespace.condition("speech", "PodsEdited").get("message", ""))
    assert FOREIGN in namespace.condition("speech", "PodsEdited")["message"]
    eventually("and by an Event", lambda: FOREIGN in "".join(events(namespace, "ImageEdited")))
    namespace("delete", "pod", pod)
    eventually("a new pod is there, and nothing told", lambda: not namespace.condition("speech", "PodsEdited"))


def test_an_image_that_a_policy_gives_to_pods_is_not_told(namespace: Kubectl, mirroring_pods: None) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("a pod is there", lambda: namespace.pods_of("speech"))
    pod = namespace.pods_of("speech")[0]
    assert pod["spec"]["containers"][0]["image"].startswith("mirror/")
    eventually("it is told of", lambda: namespace.condition("speech", "Available").get("status"))
    assert namespace.condition("speech", "PodsEdited") == {}


def test_a_deployment_that_was_deleted_comes_back_with_the_admitted_image(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, image={"tag": "7"}))
    eventually("the image is on record", lambda: admitted(namespace) == "runtime:7")
    patch(namespace, "speech", {"image": None})
    namespace("delete", "deployment", "speech")
    eventually("it is back", lambda: images(namespace) == {"runtime:7"})


@pytest.fixture
def mirroring(kubectl: Kubectl, namespace: Kubectl) -> Iterator[None]:
    """A policy that pulls every image of a Deployment in the namespace through a mirror."""
    yield from mirroring_by(kubectl, namespace, "deployments", ("create", "deployment"))


@pytest.fixture
def mirroring_pods(kubectl: Kubectl, namespace: Kubectl) -> Iterator[None]:
    """A policy that does the same to pods, as most registries' webhooks do."""
    yield from mirroring_by(kubectl, namespace, "pods", ("run",))


def mirroring_by(kubectl: Kubectl, namespace: Kubectl, resource: str, create: tuple[str, ...]) -> Iterator[None]:
    """`create`: the words after kubectl that make such an object."""
    items = policy(namespace, resource)
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    probe = (*create, "probe", "--image=probe", "--dry-run=server", "-o", "yaml")
    eventually("the policy works", lambda: "mirror/" in namespace(*probe))
    yield
    for kind in ("mutatingadmissionpolicy", "mutatingadmissionpolicybinding"):
        kubectl("delete", kind, f"mirror-{namespace.namespace}")


def policy(namespace: Kubectl, resource: str) -> list[dict[str, Any]]:
    name, group = f"mirror-{namespace.namespace}", "admissionregistration.k8s.io/v1"
    api_group, path = ("", ".spec") if resource == "pods" else ("apps", ".spec.template.spec")
    pod = f"object{path}"
    mirrored = f"{pod}.containers.map(c, Object{path}.containers{{name: c.name, image: 'mirror/' + c.image}})"
    expression = f"{{containers: {mirrored}}}"
    parts = path.split(".")[1:]
    for number in range(len(parts), 0, -1):
        expression = f"{{{parts[number - 1]}: Object.{'.'.join(parts[:number])}{expression}}}"
    rules = [{"apiGroups": [api_group], "apiVersions": ["v1"], "resources": [resource]}]
    operations = {"operations": ["CREATE", "UPDATE"]}
    spec = {
        "matchConstraints": {
            "resourceRules": [rule | operations for rule in rules],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace.namespace}},
        },
        "matchConditions": [{"name": "once", "expression": f"!{pod}.containers.all(c, c.image.startsWith('mirror/'))"}],
        "reinvocationPolicy": "Never",
        "mutations": [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {"expression": f"Object{expression}"},
            }
        ],
    }
    return [
        {"apiVersion": group, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec},
        {
            "apiVersion": group,
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name},
        },
    ]


@pytest.mark.usefixtures("mirroring")
def test_a_policy_that_rewrites_registries_meets_no_resistance(namespace: Kubectl, running: OperatorProcess) -> None:
    spec = {"cache": {"type": "Image"}}
    namespace.apply(service("speech", **spec))
    eventually("the rewritten image is on record", lambda: admitted(namespace) == f"mirror/{DEFAULT}")
    for number in range(5):
        namespace.annotate("deployment", "speech", number=number)
    running.stop()
    running.start()
    patch(namespace, "speech", {"language": "en"})
    eventually("the change comes", lambda: "value: en" in namespace("get", "deploy", "speech", "-o", "yaml"))
    assert images(namespace) == {f"mirror/{DEFAULT}"}
    assert len(namespace.list("replicasets")) <= 2, "the spec's change alone made new pods"
    assert events(namespace, "ImagePutBack") == []
