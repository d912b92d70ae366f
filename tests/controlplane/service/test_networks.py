"""Proxies before a service, on a real API server: time-outs, health paths, and whose word about clients is believed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, service
from tests.support.waiting import awaited

pytestmark = pytest.mark.usefixtures("optional_apis", "running")

SERVER = {"requestTimeout": "60s", "trustedProxies": ["10.0.0.0/8", "fd00::/8"]}


def made(namespace: Kubectl, kind: str) -> dict[str, Any]:
    """The service's child of that kind, once it is there."""
    return awaited(f"the {kind} is there", lambda: namespace.get(kind, "speech"))


@pytest.mark.parametrize(
    ("class_name", "annotation", "value"),
    [
        ("nginx", "nginx.ingress.kubernetes.io/proxy-read-timeout", "75"),
        ("haproxy", "haproxy.org/timeout-server", "75s"),
        ("openshift-default", "haproxy.router.openshift.io/timeout", "75s"),
        ("alb", "alb.ingress.kubernetes.io/load-balancer-attributes", "idle_timeout.timeout_seconds=75"),
        ("alb", "alb.ingress.kubernetes.io/healthcheck-path", "/api/healthz"),
        ("contour", "projectcontour.io/response-timeout", "135s"),
    ],
)
def test_a_proxy_waits_longer_than_the_server(namespace: Kubectl, class_name: str, annotation: str, value: str) -> None:
    ingress = {"className": class_name, "host": f"{namespace.namespace}.example.com", "path": "/api"}
    namespace.apply(service("speech", **EMPTY_DIR, server=SERVER, ingress=ingress))
    assert made(namespace, "ingress")["metadata"]["annotations"][annotation] == value


def test_a_gateway_waits_for_the_upload_and_the_work(namespace: Kubectl) -> None:
    gateway = {"parentRefs": [{"name": "public"}], "hostnames": [f"{namespace.namespace}.example.com"]}
    namespace.apply(service("speech", **EMPTY_DIR, server=SERVER, gateway=gateway))
    (rule,) = made(namespace, "httproute")["spec"]["rules"]
    assert rule["timeouts"] == {"request": "2m15s", "backendRequest": "2m15s"}


def test_the_pods_are_told_whose_word_about_clients_counts(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, server=SERVER))
    (container,) = made(namespace, "deployment")["spec"]["template"]["spec"]["containers"]
    env = {one["name"]: one.get("value") for one in container["env"]}
    assert env["WHISPER_TRUSTED_PROXIES"] == '["10.0.0.0/8", "fd00::/8"]'
    assert "FORWARDED_ALLOW_IPS" not in env
