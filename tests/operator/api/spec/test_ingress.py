"""The Ingress: its hosts, paths and certificate."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import accepted, assert_choices, assert_longest, entries, letters, manifest, refused
from whisper_operator.api.spec.ingress import IngressSpec

HOST = {"host": "speech.example.com"}


def test_an_ingress_takes_any_host_and_every_path_over_http_unless_the_spec_says_otherwise() -> None:
    found = manifest(IngressSpec())
    assert {name: value for name, value in found.items() if value} == {"path": "/", "pathType": "Prefix"}


def path(length: int) -> str:
    return "/" + letters(length - 1)


def hosts(count: int) -> list[str]:
    return [f"speech{number}.example.com" for number in range(count)]


def paths(count: int) -> list[dict[str, str]]:
    return [{"path": f"/{number}"} for number in range(count)]


@pytest.mark.parametrize(
    ("field", "longest", "of"),
    [
        ("ingress.annotations", 56, entries),
        ("ingress.labels", 56, entries),
        ("ingress.className", 253, letters),
        ("ingress.host", 253, letters),
        ("ingress.path", 512, path),
        ("ingress.additionalPaths", 16, paths),
        ("ingress.tls.secretName", 253, letters),
    ],
)
def test_a_field_has_a_greatest_length(field: str, longest: int, of: Any) -> None:
    assert_longest(field, longest, of)


def test_an_ingress_has_at_most_17_hosts() -> None:
    assert_longest("ingress.additionalHosts", 16, hosts, **HOST)


def test_a_path_is_of_one_of_kubernetes_types() -> None:
    assert_choices("ingress.pathType", "Prefix", "Exact", "ImplementationSpecific")


def test_more_hosts_need_a_first_one_and_no_host_is_there_twice() -> None:
    accepted(ingress={**HOST, "additionalHosts": ["a.example.com"]})
    assert refused(ingress={"additionalHosts": ["a.example.com"]}).startswith(
        "spec.ingress.additionalHosts needs spec.ingress.host"
    )
    for more in (["speech.example.com"], ["a.io", "a.io"]):
        assert refused(ingress={**HOST, "additionalHosts": more}).startswith(
            "spec.ingress.additionalHosts has a host twice"
        )


def test_no_path_is_there_twice() -> None:
    accepted(ingress={"path": "/speech", "additionalPaths": [{"path": "/v1", "pathType": "Exact"}]})
    for more in ([{"path": "/speech"}], [{"path": "/v1"}, {"path": "/v1", "pathType": "Exact"}]):
        assert refused(ingress={"path": "/speech", "additionalPaths": more}).startswith(
            "spec.ingress.additionalPaths has a path twice"
        )


def test_each_additional_path_is_validated() -> None:
    assert "additionalPaths has a path with //" in refused(ingress={"additionalPaths": [{"path": "/a//b"}]})
    assert refused(ingress={"additionalPaths": [{"path": "v1"}]}).startswith("spec.ingress.additionalPaths[0].path: ")


def test_labels_of_the_operator_are_its_own() -> None:
    assert refused(ingress={"labels": {"app.kubernetes.io/instance": "other"}}).startswith(
        "spec.ingress.labels must not set one of the operator's"
    )


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
    [
        {},
        {"secretName": "speech-tls"},
        {"clusterIssuer": "letsencrypt"},
        {"secretName": "tls", "clusterIssuer": "ours"},
        {"issuerRef": {"name": "ours"}},
        {"issuerRef": {"name": "ours", "kind": "AWSPCAClusterIssuer", "group": "awspca.cert-manager.io"}},
    ],
    ids=["the controller's default", "a Secret", "an issuer", "both", "an Issuer of the namespace", "an external one"],
)
def test_https_takes_its_certificate_from_a_secret_an_issuer_or_the_controller(tls: dict[str, Any]) -> None:
    accepted(ingress={**HOST, "tls": tls})


def test_one_issuer_signs_a_certificate() -> None:
    assert refused(ingress={**HOST, "tls": {"clusterIssuer": "a", "issuerRef": {"name": "b"}}}) == (
        "spec.ingress.tls has both clusterIssuer and issuerRef: remove one of the two"
    )
    assert refused(ingress={**HOST, "tls": {"issuerRef": {"name": "b", "kind": "ClusterIssuer"}}}) == (
        "spec.ingress.tls.issuerRef names a ClusterIssuer: name it in spec.ingress.tls.clusterIssuer instead"
    )


def test_a_secrets_certificate_needs_no_host() -> None:
    accepted(ingress={"tls": {"secretName": "speech-tls"}})


@pytest.mark.parametrize("secret", [{}, {"secretName": "speech-tls"}], ids=["alone", "with a Secret"])
@pytest.mark.parametrize(
    ("field", "issuer"), [("clusterIssuer", "letsencrypt"), ("issuerRef", {"name": "ours"})], ids=["cluster", "other"]
)
def test_an_issuer_needs_the_host_that_it_signs_for(field: str, issuer: Any, secret: dict[str, str]) -> None:
    assert refused(ingress={"tls": {field: issuer, **secret}}) == (
        f"spec.ingress.tls.{field} needs spec.ingress.host, the name that the certificate is issued for: "
        "add the host, or name a certificate's Secret in spec.ingress.tls.secretName alone"
    )


@pytest.mark.parametrize(
    ("spec", "is_issued"),
    [
        ({}, False),
        ({"tls": {"secretName": "a"}}, False),
        ({**HOST, "tls": {"clusterIssuer": "a"}}, True),
        ({**HOST, "tls": {"issuerRef": {"name": "a"}}}, True),
        ({"tls": {"secretName": "a"}, "annotations": {"cert-manager.io/issuer": "a"}}, True),
        ({"tls": {"secretName": "a"}, "annotations": {"kubernetes.io/tls-acme": "true"}}, True),
    ],
)
def test_a_certificate_is_issued_by_a_field_or_an_annotation(spec: dict[str, Any], is_issued: bool) -> None:
    assert IngressSpec.model_validate(spec).is_issued is is_issued


def test_the_prefix_of_a_path_is_without_what_its_end_means() -> None:
    prefixes = {"/": "", "/speech": "/speech", "/speech/": "/speech"}
    assert {path: IngressSpec.model_validate({"path": path}).prefix for path in prefixes} == prefixes
    gke = IngressSpec.model_validate({"path": "/speech/*", "pathType": "ImplementationSpecific"})
    assert gke.prefix == "/speech"
