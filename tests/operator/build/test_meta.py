"""Name, labels, owner and hash of a child."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import UID, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.meta import child
from whisper_operator.objects.kinds import SERVICE


def made(**given: Any) -> Manifest:
    return child(service(), SERVICE, "speech", **{"spec": {"type": "ClusterIP"}, **given})


def applied(manifest: Manifest) -> str:
    return manifest["metadata"]["annotations"]["whisper-operator.io/applied"]


def test_a_child_goes_with_its_service_unless_it_is_not_owned() -> None:
    (owner,) = made()["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == ("WhisperService", "speech", UID, True)
    assert "ownerReferences" not in made(owned=False)["metadata"]


def test_what_outlives_its_service_is_no_part_of_an_application_of_the_same_name() -> None:
    """Argo CD tracks by the label, or prunes what it takes for its own by another; Flux prunes by its inventory."""
    metadata = made(owned=False, annotations={"a": "b"})["metadata"]
    assert "app.kubernetes.io/instance" not in metadata["labels"]
    assert metadata["labels"]["whisper-operator.io/service"] == "speech"
    assert metadata["annotations"]["a"] == "b"
    assert metadata["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"
    assert metadata["annotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
    assert made()["metadata"]["labels"]["app.kubernetes.io/instance"] == "speech"
    assert list(made()["metadata"]["annotations"]) == ["whisper-operator.io/applied"]


@pytest.mark.parametrize("change", [{"annotations": {"a": "b"}}, {"spec": {}}, {"labels": {}}, {"owned": False}])
def test_the_hash_is_that_of_the_whole_manifest(change: dict[str, Any]) -> None:
    assert applied(made()) == applied(made())
    assert applied(made(**change)) != applied(made())


def test_the_users_labels_give_way_to_ours() -> None:
    labels = made(labels={"team": "a", "app.kubernetes.io/name": "mine"})["metadata"]["labels"]
    assert (labels["team"], labels["app.kubernetes.io/name"]) == ("a", "whisper")


def test_the_users_annotations_are_not_changed() -> None:
    given = {"a": "b"}
    assert made(annotations=given)["metadata"]["annotations"]["a"] == "b"
    assert given == {"a": "b"}


EVERY = {"labels": {"team": "a", "tier": "1"}, "annotations": {"owner": "a", "tier": "1"}}


@pytest.mark.parametrize("owned", [True, False])
def test_what_the_spec_says_of_every_object_gives_way_to_what_it_says_of_one(owned: bool) -> None:
    given = {"labels": {"team": "b"}, "annotations": {"owner": "b"}}
    metadata = child(service(objectMetadata=EVERY), SERVICE, "speech", owned=owned, **given)["metadata"]
    assert {"team": "b", "tier": "1", "app.kubernetes.io/name": "whisper"}.items() <= metadata["labels"].items()
    assert {"owner": "b", "tier": "1"}.items() <= metadata["annotations"].items()
    assert ("app.kubernetes.io/instance" in metadata["labels"]) is owned


def test_a_child_without_metadata_of_its_own_has_that_of_every_object() -> None:
    metadata = child(service(objectMetadata=EVERY), SERVICE, "speech")["metadata"]
    assert EVERY["labels"].items() <= metadata["labels"].items()
    assert EVERY["annotations"].items() <= metadata["annotations"].items()
