"""The claim that caches models: made once, and changed only where Kubernetes lets it be."""

from __future__ import annotations

import pytest

from tests.operator.samples import children, claim, deployment, live, observed, one, resolved, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.claim import given_up
from whisper_operator.resolve.asked_claim import DEFAULT_CLASS


def test_a_claim_keeps_what_is_fixed_and_only_grows() -> None:
    there = claim(service(), accessModes=["ReadWriteOnce"], storageClassName="fast")
    for size, wanted in (("5Gi", "10Gi"), ("20Gi", "20Gi")):
        changed = service(replicas=2, cache={"size": size, "storageClassName": "slow"})
        found = one(children(changed, observed(there)), "PersistentVolumeClaim", "speech-models")
        assert found["spec"]["accessModes"] == ["ReadWriteOnce"]
        assert found["spec"]["storageClassName"] == "fast"
        assert found["spec"]["resources"]["requests"]["storage"] == wanted


def test_a_new_claim_names_the_default_class_and_so_is_the_same_once_it_is_there() -> None:
    """What the API server fills in would be a difference at the next pass, and a second write."""
    default = {
        "metadata": {"name": "standard", "annotations": {DEFAULT_CLASS: "true"}},
        "provisioner": "example.com/disk",
    }
    new = one(
        children(service(), observed(storage_classes={"standard": default})), "PersistentVolumeClaim", "speech-models"
    )
    assert new["spec"]["storageClassName"] == "standard"
    made = {**new, "metadata": {**new["metadata"], "uid": "1"}, "status": {"phase": "Pending"}}
    there = observed(made, storage_classes={"standard": default})
    assert one(children(service(), there), "PersistentVolumeClaim", "speech-models") == new
    unknown = one(children(service(), observed()), "PersistentVolumeClaim", "speech-models")
    assert "storageClassName" not in unknown["spec"]


def test_a_claim_without_a_volume_is_built_as_the_spec_asks_now() -> None:
    """Its class, mode and size are fixed like any other's, but no data is in it: another one takes its place."""
    there = {**claim(service(cache={"storageClassName": "broken"})), "status": {"phase": "Pending"}}
    corrected = service(cache={"storageClassName": "fast", "accessMode": "ReadWriteMany", "size": "5Gi"})
    found = one(children(corrected, observed(there)), "PersistentVolumeClaim", "speech-models")
    assert found["spec"] == {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "fast",
    }
    assert found["metadata"]["annotations"]["whisper-operator.io/asked"] == "fast ReadWriteMany 5Gi"


def test_a_claim_that_is_to_be_another_stays_while_preflight_holds() -> None:
    there = {**claim(service()), "status": {"phase": "Pending"}}
    wrong = service(cache={"storageClassName": "gone"})
    assert "PersistentVolumeClaim" not in [
        body["kind"] for body in children(wrong, observed(there, storage_classes={}))
    ]


def test_a_size_that_is_stored_in_thousandths_grows_too() -> None:
    there = claim(service(cache={"size": "999999999999.001Ki"}))
    changed = service(cache={"size": "1Ti"})
    found = one(children(changed, observed(there)), "PersistentVolumeClaim", "speech-models")
    assert there["spec"]["resources"]["requests"]["storage"] == "1023999999998977024m"
    assert found["spec"]["resources"]["requests"]["storage"] == there["spec"]["resources"]["requests"]["storage"]


def test_a_retained_claim_has_no_owner() -> None:
    assert "ownerReferences" not in claim(service(cache={"retention": "Retain"}))["metadata"]
    assert "ownerReferences" in claim(service())["metadata"]


def test_a_claim_has_the_users_labels_and_annotations_beside_the_operators() -> None:
    cache = {"labels": {"backup": "weekly"}, "annotations": {"k8up.io/backup": "false"}, "retention": "Retain"}
    metadata = one(children(service(cache=cache)), "PersistentVolumeClaim", "speech-models")["metadata"]
    assert metadata["labels"]["backup"] == "weekly"
    assert metadata["labels"]["whisper-operator.io/service"] == "speech"
    assert metadata["annotations"]["k8up.io/backup"] == "false"
    assert metadata["annotations"]["whisper-operator.io/asked"] == "- ReadWriteOnce 10Gi"


def of_jobs(**storage: object) -> Manifest:
    return one(children(service(jobs={"storage": storage})), "PersistentVolumeClaim", "speech-jobs")


def test_jobs_have_a_claim_of_their_own_beside_that_of_the_checkpoints() -> None:
    found = of_jobs(size="20Gi", storageClassName="fast", labels={"backup": "nightly"}, annotations={"a/b": "c"})
    assert found["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "20Gi"}},
        "storageClassName": "fast",
    }
    assert found["metadata"]["labels"]["backup"] == "nightly"
    assert found["metadata"]["annotations"]["a/b"] == "c"
    assert claim(service(jobs={}))["metadata"]["name"] == "speech-models"


@pytest.mark.parametrize(
    "spec", [{}, {"jobs": {"storage": {"type": "EmptyDir"}}}, {"jobs": {"storage": {"existingClaim": "mine"}}}], ids=str
)
def test_no_claim_of_jobs_is_made_that_nobody_asks_for(spec: dict[str, object]) -> None:
    names = [body["metadata"]["name"] for body in children(service(**spec))]
    assert "speech-jobs" not in names


def test_the_claim_of_jobs_outlives_its_service_unless_the_spec_says_delete() -> None:
    assert "ownerReferences" not in of_jobs()["metadata"]
    assert "ownerReferences" in of_jobs(retention="Delete")["metadata"]


def test_a_claim_of_jobs_that_was_to_be_deleted_is_given_up_with_the_jobs() -> None:
    kept, owned = live(of_jobs()), live(of_jobs(retention="Delete"))
    assert list(given_up(resolved(service(), observed(owned)))) == [owned]
    assert list(given_up(resolved(service(), observed(kept)))) == []
    assert list(given_up(resolved(service(), observed()))) == []
    for storage in ({"retention": "Delete"}, {"type": "EmptyDir"}, {"existingClaim": "mine"}):
        still = service(jobs={"storage": storage})
        assert list(given_up(resolved(still, observed(owned)))) == [], "the spec has jobs"


def test_no_claim_is_given_up_while_a_pod_may_be_started_with_it() -> None:
    """Preflight may hold the new pods back; the old one could not start again with a claim that is being deleted."""
    before = service(cache={"type": "EmptyDir"}, jobs={"storage": {"retention": "Delete"}})
    after = service(cache={"type": "EmptyDir"})
    owned = live(of_jobs(retention="Delete"))
    assert list(given_up(resolved(after, observed(owned, deployment(before))))) == []
    assert list(given_up(resolved(after, observed(owned, deployment(after))))) == [owned]
