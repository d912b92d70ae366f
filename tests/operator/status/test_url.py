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
        ({"ingress": {"host": "a.example.com", "tls": {}}}, "https://a.example.com"),
        ({"ingress": {"host": "*.example.com", "additionalHosts": ["b.example.com"]}}, "http://b.example.com"),
        ({"ingress": {}}, "http://speech.team.svc"),
        ({"ingress": {"host": "*.example.com"}}, "http://speech.team.svc"),
        (
            {"gateway": {"parentRefs": [{"name": "g"}], "hostnames": ["*.example.com", "b.example.com"]}},
            "https://b.example.com",
        ),
        (
            {"gateway": {"parentRefs": [{"name": "g"}], "hostnames": ["b.example.com"], "path": "/asr"}},
            "https://b.example.com/asr",
        ),
    ],
)
def test_the_url(spec: dict[str, Any], expected: str) -> None:
    wanted = service(**spec)
    assert url_of(wanted, *map(live, children(wanted))) == expected


@pytest.mark.parametrize(
    ("annotation", "value", "scheme"),
    [
        ("alb.ingress.kubernetes.io/certificate-arn", "arn:aws:acm:a", "https"),
        ("alb.ingress.kubernetes.io/listen-ports", '[{"HTTP": 80}, {"HTTPS": 443}]', "https"),
        ("alb.ingress.kubernetes.io/listen-ports", '[{"HTTP": 80}]', "http"),
        ("networking.gke.io/managed-certificates", "speech", "https"),
        ("ingress.gcp.kubernetes.io/pre-shared-cert", "speech", "https"),
        ("appgw.ingress.kubernetes.io/appgw-ssl-certificate", "speech", "https"),
        ("route.openshift.io/termination", "edge", "https"),
        ("traefik.ingress.kubernetes.io/router.tls", "true", "https"),
        ("traefik.ingress.kubernetes.io/router.tls", "false", "http"),
        ("nginx.ingress.kubernetes.io/ssl-redirect", "true", "http"),
    ],
)
def test_a_controller_that_takes_https_by_an_annotation_is_believed(annotation: str, value: str, scheme: str) -> None:
    wanted = service(ingress={"host": "a.example.com", "annotations": {annotation: value}})
    assert url_of(wanted, *map(live, children(wanted))) == f"{scheme}://a.example.com"


def listener(protocol: str, port: int, **more: Any) -> Manifest:
    return {"name": protocol.lower(), "protocol": protocol, "port": port, **more}


PLAIN, SECURE = listener("HTTP", 80), listener("HTTPS", 443)


@pytest.mark.parametrize(
    ("listeners", "ref", "expected"),
    [
        ([PLAIN], {}, "http://a.example.com"),
        ([PLAIN, SECURE], {}, "https://a.example.com"),
        ([PLAIN, SECURE], {"sectionName": "http"}, "http://a.example.com"),
        ([PLAIN, SECURE], {"port": 80}, "http://a.example.com"),
        ([listener("HTTP", 8080)], {}, "http://a.example.com:8080"),
        ([listener("HTTPS", 8443)], {}, "https://a.example.com:8443"),
        ([PLAIN, listener("HTTPS", 443, hostname="*.example.net")], {}, "http://a.example.com"),
        ([PLAIN, listener("HTTPS", 443, hostname="*.example.com")], {}, "https://a.example.com"),
    ],
)
def test_the_url_of_a_route_is_its_listeners(listeners: list[Manifest], ref: dict[str, Any], expected: str) -> None:
    wanted = service(gateway={"parentRefs": [{"name": "g", **ref}], "hostnames": ["a.example.com"]})
    gateways = {("", "g"): {"spec": {"listeners": listeners}}}
    assert url(resolved(wanted, observed(*map(live, children(wanted)), gateways=gateways))) == expected


def test_the_url_of_a_route_stays_while_its_gateway_cannot_be_read() -> None:
    wanted = service(
        {"url": "http://a.example.com:8080/asr"},
        gateway={"parentRefs": [{"name": "g"}], "hostnames": ["a.example.com"], "path": "/asr"},
    )
    assert url_of(wanted, *map(live, children(wanted))) == "http://a.example.com:8080/asr"


def test_the_url_of_a_load_balancer_that_ends_tls() -> None:
    annotations = {"service.beta.kubernetes.io/aws-load-balancer-ssl-cert": "arn:aws:acm:a"}
    wanted = service(service={"type": "LoadBalancer", "port": 443, "annotations": annotations})
    ingress = [{"hostname": "lb.example"}]
    its = live(one(children(wanted), "Service"), status={"loadBalancer": {"ingress": ingress}})
    assert url_of(wanted, its) == "https://lb.example"


def test_an_ingress_that_keeps_its_host_while_another_has_the_wanted_one_is_the_address() -> None:
    before = one(children(service(ingress={"host": "mine.example.com", "path": "/asr"})), "Ingress")
    wanted = service(ingress={"host": "theirs.example.com", "tls": {}})
    assert url_of(wanted, live(before)) == "http://mine.example.com/asr"


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
