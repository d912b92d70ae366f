"""Conditions that inform and never block Ready."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import (
    children,
    live,
    one,
    service,
)
from tests.operator.statuses import all_of, conditions, status
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.installation import Installation


def test_a_newer_default_image_is_told() -> None:
    found = status(service({"image": "runtime:1"}), *all_of(service()), installation=Installation("runtime:2"))
    assert conditions(found)["RuntimeUpdateAvailable"] == ("True", "NewerDefaultImage")
    named = service(image={"tag": "1"})
    assert "RuntimeUpdateAvailable" not in conditions(
        status(named, *all_of(named), installation=Installation("runtime:2"))
    )


def test_a_moved_registry_is_told_of_a_service_that_sets_the_tag_alone() -> None:
    named = service({"image": "old.example.com/runtime:1"}, image={"tag": "1"})
    found = status(named, *all_of(named), installation=Installation("runtime:2"))
    (told,) = [one for one in found.conditions if one.type == "RuntimeUpdateAvailable"]
    assert "the operator's default is runtime:1: set spec.image.repository to use it" in told.message


PROXIED = {"ingress": {"host": "a.example.com"}}


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        (PROXIED, "spec.ingress"),
        ({"gateway": {"parentRefs": [{"name": "g"}], "hostnames": ["a.example.com"]}}, "spec.gateway"),
        ({"service": {"type": "LoadBalancer"}}, "spec.service.type LoadBalancer"),
        ({"service": {"type": "NodePort"}}, "spec.service.externalTrafficPolicy: Local"),
    ],
)
def test_a_limit_that_counts_all_clients_as_one_is_told(spec: dict[str, Any], names: str) -> None:
    found = {one.type: one for one in status(service(rateLimit={"requestsPerMinute": 7}, **spec)).conditions}
    told = found["ClientsToldApart"]
    assert (told.status, told.reason) == ("False", "OneAddressForAll")
    assert names in told.message
    assert "all clients share 7 requests a minute" in told.message


@pytest.mark.parametrize(
    "spec",
    [
        PROXIED,
        {"rateLimit": {}},
        {**PROXIED, "rateLimit": {}, "auth": {"secretRef": {"name": "keys"}}},
        {**PROXIED, "rateLimit": {}, "server": {"trustedProxies": ["10.0.0.0/8"]}},
        {"rateLimit": {}, "service": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}},
    ],
    ids=["no limit", "within the cluster", "with API keys", "proxies are known", "addresses are kept"],
)
def test_clients_that_are_told_apart_are_no_news(spec: dict[str, Any]) -> None:
    assert "ClientsToldApart" not in conditions(status(service(**spec)))


def test_another_autoscaler_is_named_with_what_to_do() -> None:
    found = status(service(), *all_of(service()), rivals=("HorizontalPodAutoscaler/mine",))
    told = {one.type: one for one in found.conditions}["ReplicasContested"]
    assert (told.status, told.reason) == ("True", "OtherAutoscaler")
    assert told.message.startswith("HorizontalPodAutoscaler/mine scales Deployment/speech, whose number of pods")
    assert "scaleTargetRef name the WhisperService speech (apiVersion whisper-operator.io/v1alpha1)" in told.message
    assert conditions(found)["Ready"] == ("True", "AsSpecified")


def test_another_autoscaler_of_the_front_is_named_with_what_to_do() -> None:
    found = status(service(), *all_of(service()), front_rivals=("HorizontalPodAutoscaler/mine",))
    told = {one.type: one for one in found.conditions}["ReplicasContested"]
    assert told.message == (
        "HorizontalPodAutoscaler/mine scales Deployment/speech-front, whose number of pods spec.front.replicas sets, "
        "so it is put back: delete it, and raise that number"
    )


ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted"}


UNRESOLVED = {"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "message": "no such Service"}


@pytest.mark.parametrize(
    ("parents", "exposed"),
    [
        ([], ("False", "RoutePending")),
        ([{"conditions": []}], ("False", "RoutePending")),
        ([{"conditions": [ACCEPTED]}], ("True", "RouteAccepted")),
        ([{"conditions": [ACCEPTED, UNRESOLVED]}], ("False", "BackendNotFound")),
    ],
)
def test_a_route_is_a_way_in_once_every_gateway_has_taken_it(parents: list[Manifest], exposed: tuple[str, str]) -> None:
    wanted = service(gateway={"parentRefs": [{"name": "g"}], "hostnames": ["a.example.com"]})
    route = live(one(children(wanted), "HTTPRoute"), status={"parents": parents})
    assert conditions(status(wanted, route))["Exposed"] == exposed
