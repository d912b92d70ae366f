"""The Service that clients use."""

from __future__ import annotations

from tests.operator.samples import children, one, service


def test_clients_reach_the_pods_that_serve() -> None:
    wanted = service(service={"type": "LoadBalancer", "port": 8080, "annotations": {"a": "b"}})
    found = one(children(wanted), "Service")
    assert found["spec"]["type"] == "LoadBalancer"
    assert found["spec"]["ports"] == [{"name": "http", "port": 8080, "targetPort": "http", "protocol": "TCP"}]
    assert found["spec"]["selector"]["app.kubernetes.io/component"] == "server"
    assert found["metadata"]["annotations"]["a"] == "b"


def test_a_load_balancer_is_as_the_spec_has_it() -> None:
    wanted = {
        "type": "LoadBalancer",
        "nodePort": 30080,
        "loadBalancerClass": "service.k8s.aws/nlb",
        "loadBalancerSourceRanges": ["192.0.2.0/24"],
        "externalTrafficPolicy": "Local",
        "ipFamilyPolicy": "PreferDualStack",
        "ipFamilies": ["IPv6", "IPv4"],
        "labels": {"team": "speech"},
    }
    found = one(children(service(service=wanted)), "Service")
    assert found["metadata"]["labels"]["team"] == "speech"
    assert found["spec"]["ports"][0]["nodePort"] == 30080
    as_asked = wanted.keys() - {"nodePort", "labels"}
    assert {name: found["spec"][name] for name in as_asked} == {name: wanted[name] for name in as_asked}


def test_what_the_spec_leaves_open_is_left_to_kubernetes() -> None:
    found = one(children(service(service={"type": "LoadBalancer"})), "Service")["spec"]
    assert found.keys() == {"type", "selector", "ports"}
