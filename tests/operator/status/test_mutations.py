"""Children that others keep from being as they were applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.operator.samples import observed, resolved, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.observed import ChildName
from whisper_operator.status.mutations import children_mutated, pods_edited

DEPLOYMENT = ("Deployment", "speech")
INGRESS = ("Ingress", "speech")


@pytest.mark.parametrize(
    ("mutated", "named"),
    [
        (
            {INGRESS: ["spec.a"], DEPLOYMENT: ["spec.b", "spec.c"]},
            "Deployment/speech in spec.b, spec.c; Ingress/speech in spec.a:",
        ),
        (
            {INGRESS: [f"spec.f{number}" for number in range(7)]},
            "in spec.f0, spec.f1, spec.f2, spec.f3, spec.f4, 2 more:",
        ),
    ],
)
def test_each_object_and_field_is_named(mutated: Mapping[ChildName, Sequence[str]], named: str) -> None:
    found = children_mutated(replace(resolved(service()), mutated=mutated))
    assert found is not None
    assert (found.type, found.status, found.reason) == ("ChildrenMutated", "True", "LetBe")
    assert named in found.message


@pytest.mark.parametrize(
    "path", ["metadata.labels (left out)", "metadata.labels.whisper-operator.io/service (left out)", "metadata.labels"]
)
def test_a_child_that_no_watch_shows_is_named_with_the_label_and_the_remedy(path: str) -> None:
    found = children_mutated(replace(resolved(service()), mutated={INGRESS: ["spec.a"], DEPLOYMENT: [path]}))
    assert found is not None
    assert found.reason == "LabelTakenAway"
    assert "takes the label whisper-operator.io/service away from Deployment/speech at each write" in found.message
    assert "they are read every 15 s; exempt the label from that policy" in found.message
    assert f"Deployment/speech in {path}; Ingress/speech in spec.a:" in found.message


def test_of_a_field_that_is_not_there_the_api_server_is_named_too() -> None:
    """A policy may take it away; so does an API server whose feature gate is off, and no policy is looked for."""
    there = children_mutated(replace(resolved(service()), mutated={DEPLOYMENT: ["spec.a"]}))
    gone = children_mutated(replace(resolved(service()), mutated={DEPLOYMENT: ["spec.a (left out)"]}))
    assert there is not None
    assert gone is not None
    assert "feature gates" not in there.message
    assert "in spec.a (left out): " in gone.message
    assert "left out, too, where the API server's version or feature gates do not have it" in gone.message


def test_nothing_is_told_of_children_that_are_as_applied() -> None:
    assert children_mutated(resolved(service())) is None


def pod(*managers: dict[str, Any], name: str = "speech-1", **metadata: Any) -> Manifest:
    """A pod of the service, as the cache keeps it."""
    containers = [{"name": "server", "image": "other:1"}]
    return {
        "kind": "Pod",
        "metadata": {"name": name, "managedFields": list(managers), **metadata},
        "spec": {"containers": containers},
    }


def manager(name: str, *fields: str, container: str = "server") -> dict[str, Any]:
    owned = {"f:containers": {f'k:{{"name":"{container}"}}': {f"f:{field}": {} for field in fields}}}
    return {"manager": name, "operation": "Update", "fieldsV1": {"f:spec": owned}}


CREATED = manager("kube-controller-manager", "name", "image")
EDITED = (manager("kube-controller-manager", "name"), manager("kubectl-set", "image"))


def test_a_pod_whose_image_somebody_changed_is_named_with_who_did() -> None:
    found = pods_edited(resolved(service(), observed(pod(*EDITED))))
    assert found is not None
    assert (found.type, found.status, found.reason) == ("PodsEdited", "True", "ImageEdited")
    assert "pod speech-1 runs other:1 in container server, by kubectl-set: delete the pods" in found.message


def test_of_many_pods_a_few_are_named() -> None:
    pods = [pod(*EDITED, name=f"speech-{number}") for number in range(7)]
    found = pods_edited(resolved(service(), observed(*pods)))
    assert found is not None
    assert "speech-4" in found.message
    assert "; 2 more:" in found.message


@pytest.mark.parametrize(
    "one",
    [pod(CREATED), pod(), pod(*EDITED, deletionTimestamp="2026-01-01T00:00:00Z"), pod(manager("kubelet", "state"))],
    ids=["created so", "of no manager", "leaving", "another field"],
)
def test_a_pod_as_it_was_created_or_that_leaves_is_not_told(one: Manifest) -> None:
    assert pods_edited(resolved(service(), observed(one))) is None
