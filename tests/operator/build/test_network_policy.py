"""The NetworkPolicy: who may reach the pods that serve, and what these may reach."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import children, one, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.network_policy import shuts_in

PEER = {"namespaceSelector": {}}


def spec(**policy: Any) -> Manifest:
    return one(children(service(networkPolicy=policy)), "NetworkPolicy")["spec"]


def ports(rule: Manifest) -> list[int]:
    return [port["port"] for port in rule["ports"]]


def test_clients_reach_http_scrapers_metrics_and_our_verification_both() -> None:
    clients, scrapers, verification = spec(allowFrom=[PEER], metricsFrom=[PEER])["ingress"]
    assert (ports(clients), ports(scrapers), ports(verification)) == ([8000], [9000], [8000, 9000])
    labels = verification["from"][0]["podSelector"]["matchLabels"]
    assert labels["app.kubernetes.io/component"] == "verify"


def test_a_peer_that_is_not_named_may_not_come_in() -> None:
    assert len(spec()["ingress"]) == 1


def test_dns_and_the_named_peers_may_be_reached() -> None:
    dns, other = spec(allowTo=[{"to": [PEER]}])["egress"]
    assert {port["port"] for port in dns["ports"]} == {53, 5353}
    assert other == {"to": [PEER]}


def test_pods_are_shut_in_where_a_policy_names_nothing_to_reach() -> None:
    assert shuts_in(service(networkPolicy={}))
    assert not shuts_in(service(networkPolicy={"allowTo": [{"to": [PEER]}]}))
    assert not shuts_in(service())
