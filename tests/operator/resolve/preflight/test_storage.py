"""The claim that caches the model, and its class."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.preflight.findings import CLASSES, assert_found
from tests.operator.samples import node

DEFAULT = {
    "disk": {
        "metadata": {"name": "disk", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "ebs.csi.aws.com",
    }
}


@pytest.mark.parametrize(
    ("spec", "facts", "reason", "says", "holds"),
    [
        ({"cache": {"existingClaim": "shared"}}, {"claims": {"shared": None}},
         "ClaimNotFound", "PersistentVolumeClaim team/shared", True),
        ({"cache": {"storageClassName": "gone"}}, {"storage_classes": CLASSES},
         "StorageClassNotFound", "does not exist: create it, or name one that exists (the cluster has fast)", True),
        ({}, {"storage_classes": CLASSES}, "StorageClassNotFound", "has no default StorageClass", True),
        ({"model": {"name": "large-v3"}, "cache": {"size": "1Gi"}}, {},
         "CacheTooSmall", "the checkpoint of large-v3 takes 2945Mi: write at least that", True),
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
