"""A cluster of IPv6 alone: the kubelet's probes and Prometheus reach the operator, and the operator its API server."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from testbed.cluster import controlplane
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.optional_apis import with_our_api
from tests.support.waiting import awaited, eventually

SERVICE = {
    "apiVersion": "whisper-operator.io/v1alpha1",
    "kind": "WhisperService",
    "metadata": {"name": "speech"},
    "spec": {"model": {"name": "base"}, "cache": {"type": "EmptyDir"}},
}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with controlplane.running(tmp_path_factory.mktemp("ipv6"), controllers="*,-job-controller", address="::1") as found:
        yield found


@pytest.fixture(scope="module")
def kubectl(plane: ControlPlane) -> Kubectl:
    return with_our_api(plane)


@pytest.fixture(scope="module")
def operator(plane: ControlPlane, kubectl: Kubectl) -> Iterator[OperatorProcess]:
    """As the chart starts it: no address is set."""
    found = OperatorProcess(plane, settings={"HOST": ""})
    found.start()
    yield found
    found.stop()


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://[::1]:{port}{path}", timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def test_the_kubelet_finds_the_operator_ready_and_healthy(operator: OperatorProcess) -> None:
    eventually("it is ready", lambda: answers(operator.health_port, "/readyz"), 60)
    assert answers(operator.health_port, "/healthz")
    assert answers(operator.metrics_port, "/metrics")


def test_a_service_is_reconciled_and_has_an_address(kubectl: Kubectl, operator: OperatorProcess) -> None:
    kubectl.apply(SERVICE)
    found = awaited("it has a Service", lambda: kubectl.get("service", "speech"))
    assert found["spec"]["clusterIP"].startswith("fd00:96::")
