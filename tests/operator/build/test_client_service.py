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
