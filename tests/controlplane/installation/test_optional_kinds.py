"""APIs that a cluster may lack: what they would carry is left out and told, and there as soon as they are."""

from __future__ import annotations

import pytest

from testbed.cluster import crds
from testbed.cluster.crds import CrdModule
from testbed.operator_process import OperatorProcess
from testbed.paths import REPOSITORY
from tests.support.kubectl import Kubectl
from tests.support.optional_apis import install, remove
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("running")

OUR_API = [REPOSITORY / "crds"]


@pytest.mark.parametrize(
    ("source", "spec", "condition", "remedy", "kinds"),
    [
        (
            crds.GATEWAY_API,
            {"gateway": {"parentRefs": [{"name": "public"}], "hostnames": ["a.example.com"]}},
            "Exposed",
            "install the Gateway API, or use spec.ingress",
            ["httproute"],
        ),
        (
            crds.KEDA,
            {"autoscaling": {"keda": {}}},
            "AutoscalingActive",
            "install KEDA, or remove spec.autoscaling.keda",
            ["scaledobject"],
        ),
        (
            crds.PROMETHEUS_OPERATOR,
            {"monitoring": {"serviceMonitor": {}, "alerts": {}}},
            "Monitored",
            "install the Prometheus operator, or scrape by the pods' annotations",
            ["servicemonitor", "prometheusrule"],
        ),
    ],
    ids=["gateway", "keda", "prometheus"],
)
def test_an_api_that_comes_and_goes(
    namespace: Kubectl, source: CrdModule, spec: dict[str, object], condition: str, remedy: str, kinds: list[str]
) -> None:
    files = crds.ensure(source)
    namespace.apply(service("speech", **EMPTY_DIR, **spec))
    eventually("it is told", lambda: reason(namespace, "speech", condition) == "ApiMissing")
    assert remedy in namespace.condition("speech", condition)["message"]
    assert namespace.get("deployment", "speech") is not None
    install(namespace, files)
    for kind in kinds:
        eventually(f"the {kind} is there", lambda kind=kind: namespace.get(kind, "speech"))
    eventually("it is no longer told", lambda: reason(namespace, "speech", condition) != "ApiMissing")
    remove(namespace, files)
    eventually("it is told again", lambda: reason(namespace, "speech", condition) == "ApiMissing")
    assert namespace.get("deployment", "speech") is not None


def test_our_own_api_that_goes_and_comes_back(kubectl: Kubectl, namespace: Kubectl, running: OperatorProcess) -> None:
    """As by `kubectl replace --force`, with all services; or as an API server that starts has it for a moment."""
    namespace.apply(service("before", **EMPTY_DIR))
    eventually("it is deployed", lambda: namespace.get("deployment", "before"))
    remove(kubectl, OUR_API)
    try:
        eventually("the watches have begun without it", lambda: "Unresolved resources cannot be served" in running.log)
    finally:
        install(kubectl, OUR_API)
    eventually("what it had is gone", lambda: namespace.get("deployment", "before") is None)
    namespace.apply(service("after", **EMPTY_DIR))
    eventually("a new one is deployed", lambda: namespace.get("deployment", "after"), seconds=120)
    patch(namespace, "after", {"replicas": 3})
    eventually("a change is followed", lambda: (namespace.get("deployment", "after") or {})["spec"]["replicas"] == 3)
