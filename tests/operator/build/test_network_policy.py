"""The NetworkPolicy: who may reach the pods that serve, and what these may reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.operator.samples import ENV, children, one, service
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
    assert not shuts_in(service(networkPolicy={}, server={"audioUrls": {"allowedHosts": ["files.example.com"]}}))
    assert not shuts_in(service())


def test_recordings_are_fetched_at_public_addresses_and_in_listed_networks_alone() -> None:
    urls = {
        "allowedHosts": ["files.example.com", "*.example.com", "http://minio.storage:9000"],
        "privateNetworks": ["10.20.0.7/16", "fd00::1"],
    }
    _, fetched = one(children(service(networkPolicy={}, server={"audioUrls": urls})), "NetworkPolicy")["spec"]["egress"]
    assert ports(fetched) == [443, 9000]
    ipv4, ipv6, *listed = (peer["ipBlock"] for peer in fetched["to"])
    assert {"10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "100.64.0.0/10"} < set(ipv4["except"])
    assert (ipv4["cidr"], ipv6["cidr"], ipv6["except"][0]) == ("0.0.0.0/0", "2000::/3", "2001::/23")
    assert [block["cidr"] for block in listed] == ["10.20.0.0/16", "fd00::1/128"]


def test_events_are_sent_to_public_addresses_and_listed_networks_alone() -> None:
    webhooks = {
        "allowedHosts": ["hooks.example.com", "http://api.team:8080"],
        "privateNetworks": ["10.30.0.0/16"],
        "secretRef": {"name": "hooks"},
    }
    wanted = service(networkPolicy={}, jobs={"webhooks": webhooks})
    _, sent = one(children(wanted), "NetworkPolicy")["spec"]["egress"]
    assert ports(sent) == [443, 8080]
    ipv4, _, listed = (peer["ipBlock"] for peer in sent["to"])
    assert "10.0.0.0/8" in ipv4["except"]
    assert listed == {"cidr": "10.30.0.0/16"}
    assert not shuts_in(wanted)


def test_the_clusters_own_networks_are_not_public() -> None:
    wanted = service(networkPolicy={}, server={"audioUrls": {"allowedHosts": ["files.example.com"]}})
    own = replace(ENV, cluster_networks=("20.1.0.0/16", "2600:1::/32", "fd00:1::/64"))
    _, fetched = one(children(wanted, installation=own), "NetworkPolicy")["spec"]["egress"]
    ipv4, ipv6 = (peer["ipBlock"]["except"][-1] for peer in fetched["to"])
    assert (ipv4, ipv6) == ("20.1.0.0/16", "2600:1::/32")  # the third is not public anyway


def test_hosts_of_recordings_make_no_policy_by_themselves() -> None:
    made = children(service(server={"audioUrls": {"allowedHosts": ["files.example.com"]}}))
    assert not [child for child in made if child["kind"] == "NetworkPolicy"]


def test_the_front_is_reached_as_the_pods_that_serve_and_reaches_those() -> None:
    wanted = service(front={}, networkPolicy={"allowFrom": [PEER], "metricsFrom": [PEER], "allowTo": [{"to": [PEER]}]})
    front = one(children(wanted), "NetworkPolicy", "speech-front")["spec"]
    assert front["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "front"
    assert [ports(rule) for rule in front["ingress"]] == [[8000], [9000], [8000, 9000]]
    _, servers, other = front["egress"]
    assert (component(servers["to"]), ports(servers), other) == ("server", [8000, 9000], {"to": [PEER]})
    *_, from_front = one(children(wanted), "NetworkPolicy")["spec"]["ingress"]
    assert (component(from_front["from"]), ports(from_front)) == ("front", [8000, 9000])


def component(peers: list[Manifest]) -> str:
    """The component of the service's pods that are the only peer."""
    (peer,) = peers
    labels: dict[str, str] = peer["podSelector"]["matchLabels"]
    return labels["app.kubernetes.io/component"]
