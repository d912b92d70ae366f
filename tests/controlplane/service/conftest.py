"""What tests of a service's claims need of the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.kubectl import Kubectl

PROVISIONERS = {"broken": "example.com/broken", "other": "example.com/none", "nfs": "nfs.csi.k8s.io"}


@pytest.fixture(scope="module")
def classes(kubectl: Kubectl) -> Iterator[None]:
    """StorageClasses, none of which makes volumes, beside the default one."""
    for name, provisioner in PROVISIONERS.items():
        body = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
        kubectl("apply", "-f", "-", stdin=json.dumps({**body, "provisioner": provisioner}))
    yield
    kubectl("delete", "storageclass", *PROVISIONERS)
