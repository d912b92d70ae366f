"""The Service by which the front finds the pods that serve."""

from __future__ import annotations

from tests.operator.samples import children, one, service


def test_its_addresses_are_those_of_the_pods_that_serve_or_start() -> None:
    found = one(children(service(front={}, service={"type": "LoadBalancer"})), "Service", "speech-servers")["spec"]
    assert (found["clusterIP"], found["selector"]["app.kubernetes.io/component"]) == ("None", "server")
    assert [port["port"] for port in found["ports"]] == [8000]
    assert found["publishNotReadyAddresses"] is True
