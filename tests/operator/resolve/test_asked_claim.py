"""What a spec says of its claims, and which access mode and class a new one gets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import observed, resolved, service
from whisper_operator.observe.facts import Facts
from whisper_operator.resolve.asked_claim import class_of_new, default_class, jobs_claim


def shared(provisioner: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "disk", **metadata}, "provisioner": provisioner}


DEFAULT = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
OLDER = {**DEFAULT, "creationTimestamp": "2025-01-01T00:00:00Z"}
EFS = {"a": shared("efs.csi.aws.com", **DEFAULT)}


@pytest.mark.parametrize(
    ("spec", "classes", "mode"),
    [
        ({}, EFS, "ReadWriteOnce"),
        ({"replicas": 2}, EFS, "ReadWriteMany"),
        ({"autoscaling": {}}, EFS, "ReadWriteMany"),
        ({"replicas": 2}, {"a": shared("rook-ceph.cephfs.csi.ceph.com", **DEFAULT)}, "ReadWriteMany"),
        ({"replicas": 2}, {"a": shared("ebs.csi.aws.com", **DEFAULT)}, "ReadWriteOnce"),
        ({"replicas": 2}, {"a": shared("efs.csi.aws.com")}, "ReadWriteOnce"),
        ({"replicas": 2}, None, "ReadWriteOnce"),
        ({"replicas": 2, "cache": {"storageClassName": "b"}}, {"b": shared("nfs.csi.k8s.io")}, "ReadWriteMany"),
        ({"replicas": 2, "cache": {"storageClassName": "b"}}, {**EFS, "b": shared("disk")}, "ReadWriteOnce"),
        ({"replicas": 2, "cache": {"accessMode": "ReadWriteOnce"}}, EFS, "ReadWriteOnce"),
        ({"replicas": 2, "cache": {"accessMode": "ReadWriteMany"}}, None, "ReadWriteMany"),
        ({"replicas": 2}, {"a": shared("disk", **DEFAULT), "b": shared("nfs.csi.k8s.io", **OLDER)}, "ReadWriteMany"),
    ],
)
def test_the_access_mode_of_a_new_claim_works_with_its_class(
    spec: dict[str, Any], classes: dict[str, Any] | None, mode: str
) -> None:
    assert resolved(service(**spec), observed(storage_classes=classes)).claim.wanted.access_mode == mode


def test_the_newest_of_several_default_classes_is_the_default() -> None:
    newer = {**DEFAULT, "creationTimestamp": "2026-01-01T00:00:00Z"}
    classes = {"a": shared("old", **OLDER), "b": shared("new", **newer), "c": shared("other")}
    assert default_class(Facts(storage_classes=classes)) == classes["b"]
    assert default_class(Facts(storage_classes={"c": classes["c"]})) is None
    assert default_class(Facts()) is None


def test_a_claim_of_the_empty_class_has_none_and_one_of_no_class_the_default() -> None:
    standard = shared("disk", **DEFAULT)
    facts = Facts(storage_classes={"a": standard})
    assert class_of_new(None, facts) == standard
    assert class_of_new("", facts) is None


def test_a_service_without_jobs_has_no_claim_of_them() -> None:
    assert jobs_claim(service()) is None


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ({}, ("speech-jobs", True, "- ReadWriteOnce 10Gi", True)),
        ({"size": "1024Mi", "storageClassName": "fast"}, ("speech-jobs", True, "fast ReadWriteOnce 1Gi", True)),
        ({"retention": "Delete"}, ("speech-jobs", True, "- ReadWriteOnce 10Gi", False)),
        ({"existingClaim": "mine"}, ("mine", True, "- ReadWriteOnce 10Gi", True)),
        ({"type": "EmptyDir"}, ("speech-jobs", False, "- ReadWriteOnce 10Gi", True)),
    ],
)
def test_jobs_are_kept_on_one_nodes_claim_unless_the_spec_says_otherwise(storage: Any, expected: Any) -> None:
    found = jobs_claim(service(jobs={"storage": storage}))
    assert found is not None
    assert (found.name, found.is_mounted, found.wish, found.is_retained) == expected
