"""The Service for metrics and probes."""

from __future__ import annotations

from tests.operator.samples import children, one, service


def test_it_is_within_the_cluster_whatever_type_the_clients_service_has() -> None:
    found = one(children(service(service={"type": "LoadBalancer"})), "Service", "speech-metrics")["spec"]
    assert found["type"] == "ClusterIP"
    assert found.keys() == {"type", "selector", "ports"}
    assert found["ports"] == [{"name": "metrics", "port": 9000, "targetPort": "metrics", "protocol": "TCP"}]


def test_a_front_has_one_of_its_own() -> None:
    found = one(children(service(front={})), "Service", "speech-front-metrics")
    assert found["spec"]["selector"]["app.kubernetes.io/component"] == "front"
    assert found["metadata"]["labels"]["app.kubernetes.io/component"] == "front"
    assert "speech-front-metrics" not in [body["metadata"]["name"] for body in children(service())]


def test_it_has_the_families_of_addresses_of_the_clients_service() -> None:
    families = {"ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv6", "IPv4"]}
    found = one(children(service(service=families)), "Service", "speech-metrics")["spec"]
    assert {name: found[name] for name in families} == families
