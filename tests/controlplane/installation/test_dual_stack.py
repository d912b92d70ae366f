"""A cluster of both families of addresses: a service has those that its spec asks for, and changes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from testbed.cluster import controlplane
from testbed.cluster.controlplane import SERVICE_NETWORK, SERVICE_NETWORK_IPV6, ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.optional_apis import with_our_api
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import eventually

BOTH = f"--service-cluster-ip-range={SERVICE_NETWORK},{SERVICE_NETWORK_IPV6}"
SERVICES = ("speech", "speech-metrics")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    directory = tmp_path_factory.mktemp("dual")
    with controlplane.running(directory, controllers="*,-job-controller", api_flags=[BOTH]) as found:
        yield found


@pytest.fixture(scope="module")
def kubectl(plane: ControlPlane) -> Kubectl:
    return with_our_api(plane)


@pytest.fixture(scope="module", autouse=True)
def operator(plane: ControlPlane, kubectl: Kubectl) -> Iterator[OperatorProcess]:
    found = OperatorProcess(plane)
    found.start()
    yield found
    found.stop()


def families(namespace: Kubectl, name: str) -> tuple[str, ...]:
    """The families of the Service's addresses, in order; none where there is no Service."""
    found = namespace.get("service", name)
    addresses: list[str] = found["spec"]["clusterIPs"] if found else []
    return tuple("IPv6" if ":" in one else "IPv4" for one in addresses)


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({}, ("IPv4",)),
        ({"ipFamilyPolicy": "PreferDualStack"}, ("IPv4", "IPv6")),
        ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6", "IPv4"]}, ("IPv6", "IPv4")),
        ({"ipFamilies": ["IPv6"]}, ("IPv6",)),
    ],
    ids=["the cluster's own", "both", "IPv6 first", "IPv6 alone"],
)
def test_a_service_has_the_families_that_its_spec_asks_for(
    namespace: Kubectl, spec: dict[str, Any], wanted: tuple[str, ...]
) -> None:
    """Both Services: clients' and Prometheus' are in the same network."""
    namespace.apply(service("speech", **EMPTY_DIR, service=spec))
    for name in SERVICES:
        eventually(f"{name} has its addresses", lambda name=name: families(namespace, name) == wanted)


def test_the_second_family_comes_and_goes_and_the_first_address_stays(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("it has an address", lambda: families(namespace, "speech"))
    first = (namespace.get("service", "speech") or {})["spec"]["clusterIP"]
    for policy, wanted in (("PreferDualStack", ("IPv4", "IPv6")), ("SingleStack", ("IPv4",)), (None, ("IPv4",))):
        patch(namespace, "speech", {"service": {"ipFamilyPolicy": policy}})
        eventually(f"{policy}", lambda wanted=wanted: families(namespace, "speech") == wanted)
    assert (namespace.get("service", "speech") or {})["spec"]["clusterIP"] == first
    eventually("nothing is left to do", lambda: reason(namespace, "speech", "Exposed") != "Rejected")


def test_a_first_family_that_kubernetes_does_not_change_is_told_and_costs_nothing_else(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("it has an address", lambda: families(namespace, "speech"))
    patch(namespace, "speech", {"service": {"ipFamilies": ["IPv6"]}, "language": "en"})
    eventually("it is told", lambda: reason(namespace, "speech", "Exposed") == "Rejected")
    message = namespace.condition("speech", "Exposed")["message"]
    assert "ipFamilies" in message
    eventually("the rest comes", lambda: "value: en" in namespace("get", "deploy", "speech", "-o", "yaml"))
    patch(namespace, "speech", {"service": None})
    eventually("it is right again", lambda: reason(namespace, "speech", "Exposed") == "")
