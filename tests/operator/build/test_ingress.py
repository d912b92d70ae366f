"""The Ingress."""

from __future__ import annotations

import pytest

from tests.operator.samples import children, one, service

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


@pytest.mark.parametrize(
    ("class_name", "annotations"),
    [
        ("nginx", {"nginx.ingress.kubernetes.io/proxy-body-size", "nginx.ingress.kubernetes.io/proxy-read-timeout"}),
        ("haproxy", {"haproxy.org/timeout-server", "haproxy-ingress.github.io/proxy-body-size"}),
        ("traefik", set[str]()),
    ],
)
def test_the_ingress_speaks_its_controllers_words(class_name: str, annotations: set[str]) -> None:
    wanted = service(ingress={"className": class_name}, server={"requestTimeout": "10m"}, **EMPTY_DIR)
    found = one(children(wanted), "Ingress")["metadata"]["annotations"]
    assert annotations <= set(found)
    assert class_name == "traefik" or "600" in str(found.values())
