"""KEDA's admission webhooks as a process beside an API server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from testbed.cluster import binaries, process
from testbed.cluster.controlplane import ControlPlane, free_ports
from tests.support import plain_http
from tests.support.admission_webhook import webhook
from tests.support.certificates import self_signed
from tests.support.kubectl import Kubectl

WEBHOOKS: Final = "keda-admission-webhooks"
OF_SCALED_OBJECTS: Final = "validate-keda-sh-v1alpha1-scaledobject"
"""Path at which it judges them, as config/webhooks/validation_webhooks.yaml of its module has it."""


@contextmanager
def admitting(plane: ControlPlane, namespace: Kubectl, directory: Path) -> Iterator[None]:
    """KEDA's webhook judges each ScaledObject of the namespace.

    It has to answer: KEDA's own installation lets in what could not be asked, and then nothing would be proven.
    """
    certificates, (port, probes) = _certificates(directory), free_ports(2)
    flags = (
        f"--port={port}",
        f"--cert-dir={certificates}",
        f"--health-probe-bind-address=127.0.0.1:{probes}",
        "--metrics-bind-address=0",
    )
    program = str(binaries.ensure(WEBHOOKS) / WEBHOOKS)
    process.start(plane.directory, WEBHOOKS, (program, *flags), {"KUBECONFIG": str(plane.kubeconfig)})
    url, authority = f"https://127.0.0.1:{port}/{OF_SCALED_OBJECTS}", (certificates / "ca.crt").read_bytes()
    try:
        process.wait(plane.directory, WEBHOOKS, "it answers", lambda: _is_ready(probes))
        kinds, verbs = ("scaledobjects",), ("CREATE", "UPDATE")
        with webhook(namespace, url, *kinds, operations=verbs, authority=authority, seconds=10):
            yield
    finally:
        process.stop(plane.directory, WEBHOOKS)


def _certificates(directory: Path) -> Path:
    """A folder with the files of KEDA's Secret `kedaorg-certs`; the certificate is its own authority."""
    folder = directory / "certs"
    folder.mkdir()
    certificate, _ = self_signed(folder)
    shutil.copy(certificate, folder / "tls.crt")
    return folder


def _is_ready(port: int) -> bool:
    try:
        return plain_http.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
