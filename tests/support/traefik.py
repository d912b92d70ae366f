"""traefik as a process beside an API server: two entry points, and its three readers of what leads clients to services.

Flags: https://doc.traefik.io/traefik/reference/install-configuration/configuration-options/
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from testbed import wheels
from testbed.cluster import process
from testbed.cluster.controlplane import ControlPlane, free_ports
from tests.support.kubectl import Kubectl

NAME = "traefik"
GATEWAY = "public"
CONTROLLER = "traefik.io/gateway-controller"
ADDRESS = "127.0.0.1"
READ_SECONDS = 25
CONTROLLERS = {"traefik": "traefik.io/ingress-controller", "nginx": "k8s.io/ingress-nginx"}
"""The controller of each IngressClass; traefik reads the second one's own annotations."""


@dataclass(frozen=True)
class RunningTraefik:
    url: str
    tls_url: str
    """By HTTPS."""


@contextmanager
def running(plane: ControlPlane, kubectl: Kubectl) -> Iterator[RunningTraefik]:
    """`kubectl`: in the namespace of the Gateway, which this makes."""
    port, tls_port = free_ports(2)
    kubectl.apply(*(_ingress_class(name, controller) for name, controller in CONTROLLERS.items()), *_gateway(port))
    access = [
        f"--providers.{provider}.{flag}={value}"
        for provider in ("kubernetesingress", "kubernetesingressnginx", "kubernetesgateway")
        for flag, value in (
            ("endpoint", plane.server),
            ("token", plane.token),
            ("certauthfilepath", str(plane.certificate)),
        )
    ]
    command = (
        str(wheels.ensure(wheels.TRAEFIK)),
        f"--entrypoints.web.address={ADDRESS}:{port}",
        f"--entrypoints.websecure.address={ADDRESS}:{tls_port}",
        "--entrypoints.websecure.http.tls=true",
        "--providers.kubernetesingress.ingressclass=traefik",
        f"--providers.kubernetesingress.ingressendpoint.ip={ADDRESS}",
        f"--providers.kubernetesingressnginx.publishstatusaddress={ADDRESS}",
        "--providers.kubernetesingressnginx.httpentrypoint=web",
        "--providers.kubernetesingressnginx.httpsentrypoint=websecure",
        # As nginx does by default; without it traefik lets a body of any size through.
        "--providers.kubernetesingressnginx.proxyrequestbuffering=true",
        # Longer than the server's own limit of an upload. By default it is 60 s.
        f"--entrypoints.web.transport.respondingtimeouts.readtimeout={READ_SECONDS}s",
        "--global.checknewversion=false",
        *access,
    )
    process.start(plane.directory, NAME, command)
    try:
        yield RunningTraefik(f"http://{ADDRESS}:{port}", f"https://{ADDRESS}:{tls_port}")
    finally:
        process.stop(plane.directory, NAME)


def _ingress_class(name: str, controller: str) -> dict[str, object]:
    metadata = {"name": name}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": metadata,
        "spec": {"controller": controller},
    }


def _gateway(port: int) -> list[dict[str, object]]:
    """A GatewayClass of traefik's, and a Gateway whose listener has the port of the entry point."""
    api = "gateway.networking.k8s.io/v1"
    listener = {"name": "web", "protocol": "HTTP", "port": port}
    return [
        {
            "apiVersion": api,
            "kind": "GatewayClass",
            "metadata": {"name": NAME},
            "spec": {"controllerName": CONTROLLER},
        },
        {
            "apiVersion": api,
            "kind": "Gateway",
            "metadata": {"name": GATEWAY},
            "spec": {"gatewayClassName": NAME, "listeners": [listener]},
        },
    ]
