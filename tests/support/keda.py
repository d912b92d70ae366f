"""KEDA's three programs as processes beside an API server: its webhooks, its operator, and its metrics adapter."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from testbed import aggregated_api
from testbed.cluster import binaries, process
from testbed.cluster.controlplane import ControlPlane, free_ports
from tests.support import plain_http
from tests.support.admission_webhook import webhook
from tests.support.certificates import self_signed
from tests.support.kubectl import Kubectl
from whisper_operator.api.v1alpha1 import Manifest

OPERATOR, ADAPTER, WEBHOOKS = "keda", "keda-adapter", "keda-admission-webhooks"
METRICS_API: Final = "v1beta1.external.metrics.k8s.io"
NAMESPACE: Final = "keda"
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
    _start(plane, WEBHOOKS, *flags)
    url, authority = f"https://127.0.0.1:{port}/{OF_SCALED_OBJECTS}", (certificates / "ca.crt").read_bytes()
    try:
        process.wait(plane.directory, WEBHOOKS, "it answers", lambda: _is_ready(probes))
        kinds, verbs = ("scaledobjects",), ("CREATE", "UPDATE")
        with webhook(namespace, url, *kinds, operations=verbs, authority=authority, seconds=10):
            yield
    finally:
        process.stop(plane.directory, WEBHOOKS)


@contextmanager
def running(plane: ControlPlane, directory: Path) -> Iterator[None]:
    """Its operator, and the adapter by which the autoscalers that it makes read what its triggers measure."""
    certificates = _certificates(directory)
    of_operator, probes, of_adapter, of_metrics = free_ports(4)
    metrics = f"127.0.0.1:{of_operator}"
    _start(
        plane,
        OPERATOR,
        f"--cert-dir={certificates}",
        f"--metrics-service-bind-address={metrics}",
        "--metrics-bind-address=0",
        f"--health-probe-bind-address=127.0.0.1:{probes}",
    )
    process.wait(plane.directory, OPERATOR, "it answers", lambda: _is_ready(probes))
    _start(
        plane,
        ADAPTER,
        f"--secure-port={of_adapter}",
        f"--cert-dir={certificates}",
        f"--tls-cert-file={certificates / 'tls.crt'}",
        f"--tls-private-key-file={certificates / 'tls.key'}",
        f"--metrics-service-address={metrics}",
        f"--port={of_metrics}",
        *(f"--{what}-kubeconfig={plane.kubeconfig}" for what in ("lister", "authentication", "authorization")),
    )
    try:
        aggregated_api.register(plane, METRICS_API, of_adapter)
        yield
    finally:
        for name in (ADAPTER, OPERATOR):
            process.stop(plane.directory, name)


def condition(namespace: Kubectl, name: str, kind: str) -> Manifest:
    """The condition of KEDA's object of that name; empty where it has none of that type."""
    conditions = ((namespace.get("scaledobject", name) or {}).get("status") or {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == kind), {})


def _start(plane: ControlPlane, name: str, *flags: str) -> None:
    of_pods = {"POD_NAMESPACE": NAMESPACE, "KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE, "WATCH_NAMESPACE": ""}
    program = str(binaries.ensure(name) / name)
    process.start(plane.directory, name, (program, *flags), {"KUBECONFIG": str(plane.kubeconfig), **of_pods})


def _certificates(directory: Path) -> Path:
    """A folder with the files of KEDA's Secret `kedaorg-certs`; the certificate is its own authority."""
    folder = directory / "certs"
    folder.mkdir(parents=True)
    certificate, _ = self_signed(folder)
    shutil.copy(certificate, folder / "tls.crt")
    return folder


def _is_ready(port: int) -> bool:
    try:
        return plain_http.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
