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


def test_every_client_may_come_in_where_none_is_named() -> None:
    """`networkPolicy: {}` limits what the pods reach, and who scrapes them; it shuts no client out."""
    for policy in ({}, {"metricsFrom": [PEER]}):
        clients, *_ = spec(**policy)["ingress"]
        assert "from" not in clients
        assert ports(clients) == [8000]


def test_no_client_may_come_in_where_the_list_is_empty() -> None:
    assert [ports(rule) for rule in spec(allowFrom=[])["ingress"]] == [[8000, 9000]]


def test_dns_and_the_named_peers_may_be_reached() -> None:
    dns, other = spec(allowTo=[{"to": [PEER]}])["egress"]
    assert {port["port"] for port in dns["ports"]} == {53, 5353}
    assert other == {"to": [PEER]}


def test_pods_are_shut_in_where_a_policy_names_nothing_to_reach() -> None:
    assert shuts_in(service(networkPolicy={}))
    assert not shuts_in(service(networkPolicy={"allowTo": [{"to": [PEER]}]}))
    assert not shuts_in(service())
