"""The claim that caches models: made once, and changed only where Kubernetes lets it be."""

from __future__ import annotations

import pytest

from tests.operator.samples import children, claim, observed, one, service


@pytest.mark.parametrize(
    ("spec", "mode"),
    [
        ({}, "ReadWriteOnce"),
        ({"replicas": 2}, "ReadWriteMany"),
        ({"autoscaling": {}}, "ReadWriteMany"),
        ({"replicas": 2, "cache": {"accessMode": "ReadWriteOnce"}}, "ReadWriteOnce"),
    ],
)
def test_the_claims_access_mode(spec: dict[str, object], mode: str) -> None:
    assert claim(service(**spec))["spec"]["accessModes"] == [mode]


def test_a_claim_keeps_what_is_fixed_and_only_grows() -> None:
    there = claim(service(), accessModes=["ReadWriteOnce"], storageClassName="fast")
    for size, wanted in (("5Gi", "10Gi"), ("20Gi", "20Gi")):
        changed = service(replicas=2, cache={"size": size, "storageClassName": "slow"})
        found = one(children(changed, observed(there)), "PersistentVolumeClaim", "speech-models")
        assert found["spec"]["accessModes"] == ["ReadWriteOnce"]
        assert found["spec"]["storageClassName"] == "fast"
        assert found["spec"]["resources"]["requests"]["storage"] == wanted


def test_a_claim_without_a_volume_yet_keeps_its_size() -> None:
    """The API server refuses any other: it grows once it is bound."""
    there = claim(service())
    waiting = {**there, "status": {"phase": "Pending"}}
    for body, wanted in ((waiting, "10Gi"), (there, "20Gi")):
        grown = service(cache={"size": "20Gi"})
        found = one(children(grown, observed(body)), "PersistentVolumeClaim", "speech-models")
        assert found["spec"]["resources"]["requests"]["storage"] == wanted


def test_a_size_that_is_stored_in_thousandths_grows_too() -> None:
    there = claim(service(cache={"size": "999999999999.001Ki"}))
    changed = service(cache={"size": "1Ti"})
    found = one(children(changed, observed(there)), "PersistentVolumeClaim", "speech-models")
    assert there["spec"]["resources"]["requests"]["storage"] == "1023999999998977024m"
    assert found["spec"]["resources"]["requests"]["storage"] == there["spec"]["resources"]["requests"]["storage"]


def test_a_retained_claim_has_no_owner() -> None:
    assert "ownerReferences" not in claim(service(cache={"retention": "Retain"}))["metadata"]
    assert "ownerReferences" in claim(service())["metadata"]
