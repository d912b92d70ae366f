"""The claim that caches models: made once, and changed only where Kubernetes lets it be."""

from __future__ import annotations

from tests.operator.samples import children, claim, observed, one, service


def test_a_claim_keeps_what_is_fixed_and_only_grows() -> None:
    there = claim(service(), accessModes=["ReadWriteOnce"], storageClassName="fast")
    for size, wanted in (("5Gi", "10Gi"), ("20Gi", "20Gi")):
        changed = service(replicas=2, cache={"size": size, "storageClassName": "slow"})
        found = one(children(changed, observed(there)), "PersistentVolumeClaim", "speech-models")
        assert found["spec"]["accessModes"] == ["ReadWriteOnce"]
        assert found["spec"]["storageClassName"] == "fast"
        assert found["spec"]["resources"]["requests"]["storage"] == wanted


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
