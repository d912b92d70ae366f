"""The network: Service, HTTPRoute, and the allowed peers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import (
    accepted,
    assert_choices,
    assert_longest,
    assert_range,
    entries,
    manifest,
    objects,
    refused,
    setting,
)
from whisper_operator.api.spec.exposure import GatewaySpec, NetworkPolicySpec, ServiceSpec

OWN = [{"name": "own"}]
BALANCED = {"type": "LoadBalancer"}


def test_clients_reach_a_service_of_the_cluster_at_port_80_unless_the_spec_says_otherwise() -> None:
    found = manifest(ServiceSpec())
    assert {name: value for name, value in found.items() if value} == {"type": "ClusterIP", "port": 80}


def test_a_route_has_every_request_of_every_host_within_time_unless_the_spec_says_otherwise() -> None:
    found = manifest(GatewaySpec.model_validate({"parentRefs": OWN}))
    assert {name: value for name, value in found.items() if value} == {"parentRefs": OWN, "path": "/", "timeouts": True}


def test_a_network_policy_lets_every_client_in_and_nobody_else_unless_the_spec_says_otherwise() -> None:
    assert manifest(NetworkPolicySpec()) == {"allowFrom": None, "metricsFrom": [], "allowTo": []}


def test_a_service_is_of_one_of_three_types() -> None:
    assert_choices("service.type", "ClusterIP", "NodePort", "LoadBalancer")


def test_ports_are_those_of_tcp() -> None:
    assert_range("service.port", 1, 65535)
    assert_range("service.nodePort", 1, 65535, type="NodePort")


def hosts(count: int) -> list[str]:
    return [f"speech{number}.example.com" for number in range(count)]


def networks(count: int) -> list[str]:
    return ["192.0.2.0/24"] * count


@pytest.mark.parametrize(
    ("field", "longest", "of", "beside"),
    [
        ("service.annotations", 56, entries, {}),
        ("service.labels", 56, entries, {}),
        # The prefix alone may have 253: the API server says so of a Service only once it is written.
        ("service.loadBalancerClass", 253, lambda length: f"{'a' * (length - 2)}/b", BALANCED),
        ("service.loadBalancerSourceRanges", 64, networks, BALANCED),
        ("gateway.hostnames", 16, hosts, {"parentRefs": OWN}),
        ("gateway.parentRefs", 16, objects, {}),
        ("gateway.matches", 16, objects, {"parentRefs": OWN}),
        ("gateway.filters", 16, objects, {"parentRefs": OWN}),
        ("gateway.labels", 56, entries, {"parentRefs": OWN}),
        ("gateway.annotations", 56, entries, {"parentRefs": OWN}),
        ("networkPolicy.allowFrom", 32, objects, {}),
        ("networkPolicy.metricsFrom", 32, objects, {}),
        ("networkPolicy.allowTo", 32, objects, {}),
    ],
)
def test_a_field_has_a_greatest_length(field: str, longest: int, of: Any, beside: dict[str, Any]) -> None:
    assert_longest(field, longest, of, **beside)


@pytest.mark.parametrize(
    ("field", "value", "types"),
    [
        ("nodePort", 30080, ("NodePort", "LoadBalancer")),
        ("externalTrafficPolicy", "Local", ("NodePort", "LoadBalancer")),
        ("loadBalancerClass", "service.k8s.aws/nlb", ("LoadBalancer",)),
        ("loadBalancerSourceRanges", ["192.0.2.0/24", "2001:db8::/32"], ("LoadBalancer",)),
    ],
)
def test_a_field_is_for_some_types_of_service(field: str, value: Any, types: tuple[str, ...]) -> None:
    for of in ("ClusterIP", "NodePort", "LoadBalancer"):
        spec = setting(f"service.{field}", value, type=of)
        if of in types:
            accepted(**spec)
        else:
            assert refused(**spec) == (
                f"spec.service.{field} needs spec.service.type {' or '.join(types)}: set that type, or remove "
                f"spec.service.{field}"
            )


@pytest.mark.parametrize("range_", ["192.0.2.1", "2001:db8::1", "192.0.2.0/33"])
def test_a_source_range_that_is_no_network_is_refused(range_: str) -> None:
    assert refused(service={**BALANCED, "loadBalancerSourceRanges": [range_]}) == (
        "spec.service.loadBalancerSourceRanges has an entry that is not a network: write for example 192.0.2.0/24"
    )


def test_two_families_of_addresses_need_a_policy_that_allows_them() -> None:
    two = ["IPv6", "IPv4"]
    accepted(service={"ipFamilies": two, "ipFamilyPolicy": "PreferDualStack"})
    accepted(service={"ipFamilies": ["IPv6"]})
    for policy in ({}, {"ipFamilyPolicy": "SingleStack"}):
        assert refused(service={"ipFamilies": two, **policy}).startswith("spec.service.ipFamilies has two families")
    assert refused(service={"ipFamilies": ["IPv4", "IPv4"], "ipFamilyPolicy": "RequireDualStack"}).startswith(
        "spec.service.ipFamilies has one family twice"
    )


@pytest.mark.parametrize("part", ["service", "gateway"])
def test_labels_of_the_operator_are_its_own(part: str) -> None:
    beside = {"parentRefs": OWN} if part == "gateway" else {}
    assert refused(**setting(f"{part}.labels", {"whisper-operator.io/service": "other"}, **beside)).startswith(
        f"spec.{part}.labels must not set one of the operator's"
    )


@pytest.mark.parametrize("spec", [{}, {"parentRefs": []}], ids=["absent", "empty"])
def test_a_route_without_a_gateway_is_refused(spec: dict[str, Any]) -> None:
    assert refused(gateway=spec) == (
        "spec.gateway.parentRefs is empty, so no Gateway takes the route: name one, for example "
        "parentRefs: [{name: public, namespace: gateways}]; or remove spec.gateway"
    )


def test_the_path_of_a_route_is_written_in_one_place() -> None:
    accepted(gateway={"parentRefs": OWN, "path": "/speech"})
    assert refused(gateway={"parentRefs": OWN, "path": "/speech", "matches": [{}]}).startswith(
        "spec.gateway has both path and matches"
    )
    assert refused(gateway={"parentRefs": OWN, "path": "/a//b"}).startswith("spec.gateway.path contains //")


def test_each_host_of_a_route_is_validated() -> None:
    hostnames = ["a.example.com", "http://b"]
    assert refused(gateway={"parentRefs": OWN, "hostnames": hostnames}).startswith("spec.gateway.hostnames[1]: ")
