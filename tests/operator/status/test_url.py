"""The address where clients reach a service."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import (
    children,
    live,
    observed,
    one,
    resolved,
    service,
)
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.status.url import url


def url_of(of: WhisperService, *there: Manifest) -> str:
    return url(resolved(of, observed(*there)))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"service": {"port": 8080}}, "http://speech.team.svc:8080"),
        ({"ingress": {"host": "a.example.com"}}, "http://a.example.com"),
        (
            {"ingress": {"host": "a.example.com", "path": "/asr", "tls": {"secretName": "t"}}},
            "https://a.example.com/asr",
        ),
        ({"ingress": {}}, "http://speech.team.svc"),
        ({"ingress": {"host": "*.example.com"}}, "http://speech.team.svc"),
        (
            {"gateway": {"parentRefs": [{"name": "g"}], "hostnames": ["*.example.com", "b.example.com"]}},
            "https://b.example.com",
        ),
    ],
)
def test_the_url(spec: dict[str, Any], expected: str) -> None:
    wanted = service(**spec)
    assert url_of(wanted, *map(live, children(wanted))) == expected


def test_the_url_of_a_host_that_another_has_is_the_clusters_own() -> None:
    assert url_of(service(ingress={"host": "a.example.com"})) == "http://speech.team.svc"


@pytest.mark.parametrize(
    ("address", "expected"),
    [({"ip": "192.0.2.1"}, "http://192.0.2.1"), ({"hostname": "lb.example"}, "http://lb.example"),
     ({"ip": "2001:db8::1"}, "http://[2001:db8::1]")],
)  # fmt: skip
def test_the_url_of_a_load_balancer(address: dict[str, str], expected: str) -> None:
    wanted = service(service={"type": "LoadBalancer"})
    its = live(one(children(wanted), "Service"), status={"loadBalancer": {"ingress": [address]}})
    assert url_of(wanted, its) == expected
