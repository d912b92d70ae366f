"""kube-router enforces the NetworkPolicies that the operator and its chart write, for pods that are network namespaces.

The pods of the service and of the operator are those that their Deployments ask for; a test gives each an address, as
a kubelet would.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support import chart, kube_router, pod_network
from tests.support.kubectl import Kubectl
from tests.support.kubelet import create_pod, place
from tests.support.pod_network import PodNetwork
from tests.support.services import EMPTY_DIR, patch, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_runtime.contract.network import HTTP_PORT, METRICS_PORT

SERVER, VERIFY, OTHER_VERIFY, PREFETCH, STRANGER, CLIENT, SCRAPER, DNS, OPERATOR, PROXY, WORLD = range(10, 21)
"""Pods by their number in the network; the last two are addresses that no pod has."""
LISTENING = {
    SERVER: (HTTP_PORT, METRICS_PORT, 22),
    PREFETCH: (METRICS_PORT,),
    STRANGER: (80, METRICS_PORT),
    DNS: (53,),
    OPERATOR: (8080, 8081),
    PROXY: (3128, 443),
    WORLD: (53, 80, 443, 6443),
}
INGRESS, MONITORING, DNS_NAMESPACE = "ingress-nginx", "monitoring", "kube-system"
OF_OPERATOR = "whisper-system"


def of(namespace: str) -> Manifest:
    """All pods of that namespace, as a peer of a NetworkPolicy."""
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


POLICY = {
    "allowFrom": [of(INGRESS)],
    "metricsFrom": [of(MONITORING)],
    "allowTo": [
        {
            "to": [{"ipBlock": {"cidr": f"{pod_network.address(PROXY)}/32"}}],
            "ports": [{"protocol": "TCP", "port": 3128}],
        }
    ],
}

TABLE: dict[str, tuple[int, str, int, int, bool]] = {
    "a client sends requests": (CLIENT, "tcp", SERVER, HTTP_PORT, True),
    "a client reads no metrics": (CLIENT, "tcp", SERVER, METRICS_PORT, False),
    "a scraper reads metrics": (SCRAPER, "tcp", SERVER, METRICS_PORT, True),
    "a scraper sends no requests": (SCRAPER, "tcp", SERVER, HTTP_PORT, False),
    "the verification sends requests": (VERIFY, "tcp", SERVER, HTTP_PORT, True),
    "the verification asks for readiness": (VERIFY, "tcp", SERVER, METRICS_PORT, True),
    "another service's verification does not": (OTHER_VERIFY, "tcp", SERVER, HTTP_PORT, False),
    "a stranger of the namespace sends no requests": (STRANGER, "tcp", SERVER, HTTP_PORT, False),
    "a stranger reads no metrics": (STRANGER, "tcp", SERVER, METRICS_PORT, False),
    "the world sends no requests": (WORLD, "tcp", SERVER, HTTP_PORT, False),
    "a client reaches no other port": (CLIENT, "tcp", SERVER, 22, False),
    "a server asks the cluster's DNS": (SERVER, "udp", DNS, 53, True),
    "by TCP too": (SERVER, "tcp", DNS, 53, True),
    "a server reaches what allowTo names": (SERVER, "tcp", PROXY, 3128, True),
    "on that port alone": (SERVER, "tcp", PROXY, 443, False),
    "a server reaches nothing of the world": (SERVER, "tcp", WORLD, 443, False),
    "a server reaches no DNS of the world": (SERVER, "udp", WORLD, 53, False),
    "a server reaches no other pod": (SERVER, "tcp", STRANGER, 80, False),
    "a fetch reaches the model's source": (PREFETCH, "tcp", WORLD, 443, True),
    "a scraper reads the operator's metrics": (SCRAPER, "tcp", OPERATOR, 8080, True),
    "a stranger does not": (STRANGER, "tcp", OPERATOR, 8080, False),
    "a scraper asks for no health of the operator": (SCRAPER, "tcp", OPERATOR, 8081, False),
    "the operator reaches an API server": (OPERATOR, "tcp", WORLD, 6443, True),
    "and its DNS": (OPERATOR, "udp", DNS, 53, True),
    "and the pods that fetch": (OPERATOR, "tcp", PREFETCH, METRICS_PORT, True),
    "but no other pods": (OPERATOR, "tcp", STRANGER, METRICS_PORT, False),
    "and nothing else of the world": (OPERATOR, "tcp", WORLD, 80, False),
}


@dataclass(frozen=True)
class JudgedTraffic:
    without: dict[str, bool]
    """Whether an answer came while nothing enforced a policy."""
    enforced: dict[str, bool]


def judge(network: PodNetwork) -> dict[str, bool]:
    with ThreadPoolExecutor(4) as asking:
        return dict(zip(TABLE, asking.map(lambda row: network.answers(*row[:4]), TABLE.values()), strict=True))


def add_pod(kubectl: Kubectl, namespace: str, number: int, labels: dict[str, str]) -> None:
    """A pod that no Deployment asks for."""
    name, where = f"pod-{number}", kubectl.within(namespace)
    create_pod(where, name, labels)
    place(where, name, pod_network.address(number), pod_network.NODE_ADDRESS)


def place_pod_of(kubectl: Kubectl, namespace: str, deployment: str, number: int) -> None:
    """Gives the Deployment's only pod its address."""
    where, found = kubectl.within(namespace), list[dict[str, Any]]()
    eventually("the Deployment is there", lambda: where.get("deployment", deployment))
    selector = (where.get("deployment", deployment) or {})["spec"]["selector"]["matchLabels"]
    labels = ",".join(f"{name}={value}" for name, value in selector.items())
    eventually("its pod is there", lambda: found.extend(where.list("pods", labels)) or found)
    place(where, found[0]["metadata"]["name"], pod_network.address(number), pod_network.NODE_ADDRESS)


@pytest.fixture(scope="module")
def guarded(namespace: Kubectl, running: OperatorProcess) -> Kubectl:
    """The namespace of a service with a NetworkPolicy, and around it all pods of the table."""
    for name in ("guarded", INGRESS, MONITORING, OF_OPERATOR):
        namespace("create", "namespace", name)
    found = namespace.within("guarded")
    found.apply(service("speech", **EMPTY_DIR, networkPolicy=POLICY))
    metrics = f"networkPolicy.metricsFrom={json.dumps([of(MONITORING)])}"
    bodies = chart.template("--set", "networkPolicy.enabled=true,replicas=1", "--set-json", metrics)
    wanted = ("ServiceAccount", "NetworkPolicy", "Deployment")
    namespace.within(OF_OPERATOR).apply(*(one for kind in wanted for one in chart.of_kind(bodies, kind)))
    place_pod_of(namespace, "guarded", "speech", SERVER)
    place_pod_of(namespace, OF_OPERATOR, "whisper-operator", OPERATOR)
    add_pod(namespace, "guarded", VERIFY, names.labels("speech", names.VERIFY))
    add_pod(namespace, "guarded", OTHER_VERIFY, names.labels("another", names.VERIFY))
    add_pod(namespace, "guarded", PREFETCH, names.labels("speech", names.PREFETCH))
    add_pod(namespace, "guarded", STRANGER, {"app": "web"})
    add_pod(namespace, INGRESS, CLIENT, {"app": "nginx"})
    add_pod(namespace, MONITORING, SCRAPER, {"app": "prometheus"})
    add_pod(namespace, DNS_NAMESPACE, DNS, {"k8s-app": "kube-dns"})
    eventually("the policy is there", lambda: found.get("networkpolicy", "speech"))
    return found


@pytest.fixture(scope="module")
def network() -> Iterator[PodNetwork]:
    with pod_network.running() as found:
        for number in range(SERVER, WORLD + 1):
            found.add(number, *LISTENING.get(number, ()))
        yield found


@pytest.fixture(scope="module")
def judged(plane: ControlPlane, guarded: Kubectl, network: PodNetwork) -> Iterator[JudgedTraffic]:
    """kube-router runs as long as the module's tests."""
    without = judge(network)
    with kube_router.running(plane, guarded):
        for source, target in ((STRANGER, SERVER), (STRANGER, OPERATOR)):
            port = LISTENING[target][0]
            eventually("policies are enforced", lambda to=(source, "tcp", target, port): not network.answers(*to))
        yield JudgedTraffic(without, judge(network))


def test_every_way_is_open_where_nothing_enforces_a_policy(judged: JudgedTraffic) -> None:
    assert [row for row, is_open in judged.without.items() if not is_open] == []


@pytest.mark.parametrize("row", TABLE)
def test_what_is_let_through(judged: JudgedTraffic, row: str) -> None:
    assert judged.enforced[row] is TABLE[row][-1]


@pytest.mark.usefixtures("judged")
def test_the_policy_follows_the_spec(guarded: Kubectl, network: PodNetwork) -> None:
    patch(guarded, "speech", {"networkPolicy": {"allowFrom": [of("guarded")]}})
    eventually("the new client is let in", lambda: network.answers(STRANGER, "tcp", SERVER, HTTP_PORT))
    eventually("the old one is not", lambda: not network.answers(CLIENT, "tcp", SERVER, HTTP_PORT))
    patch(guarded, "speech", {"networkPolicy": {"allowFrom": None}})
    eventually("everybody is", lambda: network.answers(WORLD, "tcp", SERVER, HTTP_PORT))
    assert not network.answers(WORLD, "tcp", SERVER, METRICS_PORT)


@pytest.mark.usefixtures("judged")
def test_without_the_field_every_way_is_open_again(guarded: Kubectl, network: PodNetwork) -> None:
    patch(guarded, "speech", {"networkPolicy": None})
    eventually("the world reads metrics", lambda: network.answers(WORLD, "tcp", SERVER, METRICS_PORT))
    eventually("the server reaches the world", lambda: network.answers(SERVER, "tcp", WORLD, 443))
