"""The claims of checkpoints and jobs, and their classes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.preflight.findings import CLASSES, assert_found, checked
from tests.operator.samples import node, observed, service

DEFAULT = {
    "disk": {
        "metadata": {"name": "disk", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "ebs.csi.aws.com",
    }
}

IN_POD = {"cache": {"type": "EmptyDir"}}
NFS = {"metadata": {"name": "nfs"}, "provisioner": "nfs.csi.k8s.io"}
SIZE = {"resources": {"requests": {"storage": "10Gi"}}}
OF_MANY = {"metadata": {"name": "mine"}, "spec": {"accessModes": ["ReadWriteMany"], **SIZE}}
ON_NFS = {"metadata": {"name": "mine"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "nfs", **SIZE}}


@pytest.mark.parametrize(
    ("spec", "facts", "reason", "says", "holds"),
    [
        ({"cache": {"existingClaim": "shared"}}, {"claims": {"shared": None}},
         "ClaimNotFound", "PersistentVolumeClaim team/shared", True),
        ({"cache": {"storageClassName": "gone"}}, {"storage_classes": CLASSES},
         "StorageClassNotFound", "does not exist: create it, or name one that exists (the cluster has fast)", True),
        ({}, {"storage_classes": CLASSES}, "StorageClassNotFound", "has no default StorageClass", True),
        ({"jobs": {"storage": {"existingClaim": "mine"}}, **IN_POD}, {"claims": {"mine": None}},
         "ClaimNotFound", "team/mine, named in spec.jobs.storage.existingClaim, does not exist: create it", True),
        ({"jobs": {"storage": {"storageClassName": "gone"}}, **IN_POD}, {"storage_classes": CLASSES},
         "StorageClassNotFound", "StorageClass gone, named in spec.jobs.storage.storageClassName, does not", True),
        ({"jobs": {}, **IN_POD}, {"storage_classes": CLASSES}, "StorageClassNotFound",
         "has no default StorageClass: name one in spec.jobs.storage.storageClassName", True),
        ({"jobs": {"storage": {"storageClassName": "nfs"}}, **IN_POD}, {"storage_classes": {"nfs": NFS}},
         "JobStorageUnsafe", "StorageClass nfs of claim speech-jobs makes network file systems (nfs.csi.k8s.io), and "
         "the SQLite database of the jobs is not safe there: name another class in spec.jobs.storage", True),
        ({"jobs": {"storage": {"existingClaim": "mine"}}, **IN_POD}, {"claims": {"mine": OF_MANY}},
         "JobStorageUnsafe", "PersistentVolumeClaim mine is ReadWriteMany, and the SQLite", True),
        ({"jobs": {"storage": {"existingClaim": "mine"}}, **IN_POD},
         {"claims": {"mine": ON_NFS}, "storage_classes": {"nfs": NFS}},
         "JobStorageUnsafe", "StorageClass nfs of claim mine makes network file systems", True),
        ({"model": {"name": "large-v3"}, "cache": {"size": "1Gi"}}, {},
         "CacheTooSmall", "the checkpoint of large-v3 takes 2945Mi: write at least that", True),
        ({"model": {"name": "tiny"}, "cache": {"size": "80Mi"}, "diarization": {"model": {"name": "voices", "source": {
            "url": "https://models.example.com/voices.onnx", "sha256": "b" * 64}}}}, {},
         "CacheTooSmall", "the checkpoint of tiny with the speaker encoder voices takes 105Mi: write", True),
        ({"replicas": 2, "gpu": {}, "cache": {"accessMode": "ReadWriteOnce"}},
         {"nodes": (node(gpu="1"), node("b", gpu="1"))},
         "AccessModeTooNarrow", "is ReadWriteOnce, so all pods run on one node, and no node offers nvidia.com/gpu "
         "for 2 of them", True),
        ({"replicas": 2, "gpu": {}}, {"nodes": (node(gpu="1"), node("b", gpu="1")), "storage_classes": DEFAULT},
         "AccessModeTooNarrow", "or write spec.cache.accessMode: ReadWriteMany and a class that can do it", True),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(
    spec: dict[str, Any], facts: dict[str, Any], reason: str, says: str, holds: bool
) -> None:
    assert_found(spec, facts, reason, says, holds)


@pytest.mark.parametrize(
    ("storage", "facts"),
    [
        ({}, {"storage_classes": DEFAULT}),
        ({"type": "EmptyDir"}, {"storage_classes": {"nfs": NFS}}),
        (
            {"existingClaim": "mine"},
            {"claims": {"mine": {**OF_MANY, "spec": {"accessModes": ["ReadWriteOnce"], **SIZE}}}},
        ),
        ({"existingClaim": "mine"}, {}),
    ],
    ids=["a disk", "a directory of the pod", "a claim of one node", "a claim that was not looked up"],
)
def test_what_is_safe_for_jobs_is_not_told(storage: dict[str, Any], facts: dict[str, Any]) -> None:
    assert checked(service(jobs={"storage": storage}, **IN_POD), observed(**facts)).findings == []
