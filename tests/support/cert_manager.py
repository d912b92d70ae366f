"""cert-manager's controllers as a process, and issuers that sign with a key of their own."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.cluster import binaries, process
from testbed.cluster.controlplane import ControlPlane
from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

NAME = "cert-manager"
AUTHORITY = "authority"
"""Secret of the key that the issuers sign with, in cert-manager's own namespace."""


@contextmanager
def running(plane: ControlPlane) -> Iterator[None]:
    command = (str(binaries.ensure(NAME) / NAME), f"--kubeconfig={plane.kubeconfig}")
    process.start(plane.directory, NAME, command)
    try:
        yield
    finally:
        process.stop(plane.directory, NAME)


def authority(kubectl: Kubectl) -> str:
    """Certificate of the authority, in PEM, which cert-manager makes; waits until it has."""
    kubectl.within(NAME).apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}},
        issuer("Issuer", "itself", {"selfSigned": {}}),
        {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": {"name": AUTHORITY},
            "spec": {"isCA": True, "commonName": AUTHORITY, "secretName": AUTHORITY, "issuerRef": {"name": "itself"}},
        },
    )
    secrets = kubectl.within(NAME)
    eventually("the authority has its key", lambda: secrets.get("secret", AUTHORITY))
    return certificate(secrets, AUTHORITY)


def issuer(kind: str, name: str, how: Manifest) -> Manifest:
    """An Issuer or a ClusterIssuer that signs as `how` says."""
    return {"apiVersion": "cert-manager.io/v1", "kind": kind, "metadata": {"name": name}, "spec": how}


def by_authority(kind: str, name: str) -> Manifest:
    """One that signs with the authority's key, which an Issuer has to find in its own namespace."""
    return issuer(kind, name, {"ca": {"secretName": AUTHORITY}})


def certificate(namespace: Kubectl, secret: str) -> str:
    """The certificate of a Secret of type kubernetes.io/tls, in PEM."""
    found = namespace.get("secret", secret)
    assert found is not None
    return base64.b64decode(found["data"]["tls.crt"]).decode()
