"""What the tests look at without kubectl is what kubectl shows, and what they write is what it writes."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import EMPTY_DIR, service
from whisper_operator.api.v1alpha1 import Manifest


@pytest.mark.parametrize(
    "kinds", ["wsvc", "whisperservices.whisper-operator.io", "secret", "secrets,wsvc", "deployment.apps", "sc"]
)
def test_a_list_is_what_kubectl_shows(namespace: Kubectl, kinds: str) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    namespace("create", "secret", "generic", "keys")
    shown = json.loads(namespace("get", kinds, "--output", "json"))["items"]
    assert namespace.list(kinds) == shown
    assert namespace.list(kinds, "app=none") == []


def test_an_object_is_what_kubectl_shows(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    shown = ("--output", "json", "--show-managed-fields")
    assert namespace.get_with_managers("wsvc", "speech") == json.loads(namespace("get", "wsvc", "speech", *shown))
    assert "managedFields" not in (namespace.get("wsvc", "speech") or {})["metadata"]
    assert namespace.get("wsvc", "another") is None


WORDS: Manifest = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "words", "annotations": {"team": "münchen & <co>"}},
    "data": {"pods": "1"},
}
"""No controller writes it."""
INGRESS_CLASS: Manifest = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "written"},
    "spec": {"controller": "example.com/none"},
}


def written(namespace: Kubectl, kind: str, name: str) -> Manifest:
    """The object with its managers, less what is another each time."""
    body = namespace.get_with_managers(kind, name)
    metadata = {key: of for key, of in body["metadata"].items() if key not in ("uid", "resourceVersion")}
    managers = [{key: of for key, of in one.items() if key != "time"} for one in metadata.pop("managedFields")]
    del metadata["creationTimestamp"]
    return {**body, "metadata": metadata, "managers": managers}


@pytest.mark.parametrize("body", [service("speech", **EMPTY_DIR), WORDS, INGRESS_CLASS], ids=lambda body: body["kind"])
def test_what_is_applied_is_what_kubectl_applies(namespace: Kubectl, body: Manifest) -> None:
    found: list[Manifest] = []
    for apply in (namespace.apply, lambda one: namespace("apply", "-f", "-", stdin=yaml.safe_dump(one))):
        apply(body)
        found.append(written(namespace, body["kind"], body["metadata"]["name"]))
        namespace("delete", body["kind"], body["metadata"]["name"])
    assert found[0] == found[1]


def test_what_is_applied_again_is_changed_by_kubectl(namespace: Kubectl) -> None:
    namespace.apply(WORDS)
    changed = {**WORDS, "metadata": {"name": "words"}, "data": {"pods": "2"}}
    namespace.apply(changed)
    live = namespace.get("configmap", "words") or {}
    assert (live["data"], "team" in live["metadata"]["annotations"]) == (changed["data"], False)


def test_what_is_refused_has_the_reason_that_kubectl_gives(namespace: Kubectl) -> None:
    with pytest.raises(KubectlError, match=r'unknown field "date"'):
        namespace.apply({**WORDS, "date": {}})
    with pytest.raises(KubectlError, match="not found"):
        namespace.patch("configmap", "none", {"data": {}})


def test_a_patch_is_what_kubectl_makes(namespace: Kubectl) -> None:
    change, found = {"data": {"pods": "3"}, "metadata": {"annotations": {"team": None}}}, []
    kubectl = ("patch", "configmap", "words", "--type=merge", "-p", json.dumps(change))
    for patch in (lambda: namespace.patch("configmap", "words", change), lambda: namespace(*kubectl)):
        namespace.apply(WORDS)
        patch()
        found.append(written(namespace, "configmap", "words"))
        namespace("delete", "configmap", "words")
    assert found[0] == found[1]


def test_another_user_writes_with_that_users_rights(namespace: Kubectl) -> None:
    with pytest.raises(KubectlError, match=r'User "nobody" cannot get resource "configmaps"'):
        namespace.acting_as("nobody").apply(WORDS)
