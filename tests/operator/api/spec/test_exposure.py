"""The network: Service, Ingress, HTTPRoute, and the allowed peers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import (
    accepted,
    assert_choices,
    assert_longest,
    assert_range,
    entries,
    letters,
    manifest,
    objects,
    refused,
)
from whisper_operator.api.spec.exposure import GatewaySpec, IngressSpec, NetworkPolicySpec, ServiceSpec


def test_clients_reach_a_service_of_the_cluster_at_port_80_unless_the_spec_says_otherwise() -> None:
    assert manifest(ServiceSpec()) == {"type": "ClusterIP", "port": 80, "annotations": {}}


def test_an_ingress_takes_any_host_and_every_path_over_http_unless_the_spec_says_otherwise() -> None:
    assert manifest(IngressSpec()) == {"className": None, "host": None, "path": "/", "tls": None, "annotations": {}}


def test_a_route_names_no_gateway_and_no_host_unless_the_spec_does() -> None:
    assert manifest(GatewaySpec()) == {"parentRefs": [], "hostnames": []}


def test_a_network_policy_allows_no_peer_unless_the_spec_does() -> None:
    assert manifest(NetworkPolicySpec()) == {"allowFrom": [], "metricsFrom": [], "allowTo": []}


def test_a_service_is_of_one_of_three_types() -> None:
    assert_choices("service.type", "ClusterIP", "NodePort", "LoadBalancer")


def test_a_services_port_is_one_of_tcp() -> None:
    assert_range("service.port", 1, 65535)


def hosts(count: int) -> list[str]:
    return [f"speech{number}.example.com" for number in range(count)]


def path(length: int) -> str:
    return "/" + letters(length - 1)


@pytest.mark.parametrize(
    ("field", "longest", "of"),
    [
        ("service.annotations", 56, entries),
        ("ingress.annotations", 56, entries),
        ("ingress.className", 253, letters),
        ("ingress.host", 253, letters),
        ("ingress.path", 512, path),
        ("ingress.tls.secretName", 253, letters),
        ("gateway.hostnames", 16, hosts),
        ("gateway.parentRefs", 16, objects),
        ("networkPolicy.allowFrom", 32, objects),
        ("networkPolicy.metricsFrom", 32, objects),
        ("networkPolicy.allowTo", 32, objects),
    ],
)
def test_a_field_has_a_greatest_length(field: str, longest: int, of: Any) -> None:
    assert_longest(field, longest, of)


@pytest.mark.parametrize("path", ["/", "/speech", "/speech/", "/a/..b", "/a/.b", "/~team/a%20b?c#d"])
def test_a_path_that_begins_with_a_slash_is_accepted(path: str) -> None:
    accepted(ingress={"path": path})


@pytest.mark.parametrize("path", ["", "speech", "/a b", "/ü", "/a\n"])
def test_a_path_that_is_not_printable_ascii_after_a_slash_is_refused(path: str) -> None:
    assert refused(ingress={"path": path}) == (
        f"spec.ingress.path: {path!r} is not a valid path; for example /speech, beginning with / and without spaces"
    )


@pytest.mark.parametrize("path", ["//", "/a//b", "/.", "/./a", "/a/..", "/a/../b", "/a%2Fb", "/a%2fb"])
def test_a_path_that_kubernetes_refuses_is_refused(path: str) -> None:
    assert refused(ingress={"path": path}) == (
        "spec.ingress.path contains //, /./, /../ or %2F, which Kubernetes refuses: write the path without them"
    )


@pytest.mark.parametrize(
    "tls",
    [{"secretName": "speech-tls"}, {"clusterIssuer": "letsencrypt"}, {"secretName": "tls", "clusterIssuer": "ours"}],
    ids=["a Secret", "an issuer", "both"],
)
def test_https_takes_its_certificate_from_a_secret_or_an_issuer(tls: dict[str, str]) -> None:
    accepted(ingress={"host": "speech.example.com", "tls": tls})


def test_https_without_a_certificate_is_refused() -> None:
    assert refused(ingress={"host": "speech.example.com", "tls": {}}) == (
        "spec.ingress.tls is empty: name the certificate's Secret in secretName, or an issuer in clusterIssuer"
    )


def test_a_secrets_certificate_needs_no_host() -> None:
    accepted(ingress={"tls": {"secretName": "speech-tls"}})


@pytest.mark.parametrize("secret", [{}, {"secretName": "speech-tls"}], ids=["alone", "with a Secret"])
def test_an_issuer_needs_the_host_that_it_signs_for(secret: dict[str, str]) -> None:
    assert refused(ingress={"tls": {"clusterIssuer": "letsencrypt", **secret}}) == (
        "spec.ingress.tls.clusterIssuer needs spec.ingress.host, the name that the certificate is issued for: "
        "add the host, or name a certificate's Secret in spec.ingress.tls.secretName alone"
    )


def test_each_host_of_a_route_is_validated() -> None:
    assert refused(gateway={"hostnames": ["a.example.com", "http://b"]}).startswith("spec.gateway.hostnames[1]: ")
