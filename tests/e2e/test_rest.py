"""Nothing is written at rest, and nothing after a restart: the API server's audit log says so."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from testbed import audit
from testbed.demo import platform
from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service
from tests.support.waiting import eventually

SERVICES = 50
REST_SECONDS = 60
AFTER_PASSES_SECONDS = 15
OPERATOR = f"system:serviceaccount:{platform.NAMESPACE}:{platform.RELEASE}"


@pytest.fixture(scope="module")
def at_rest(namespace: Kubectl, audit_log: Path) -> Kubectl:
    """Fifty services, every child but the pods: two cores cannot run fifty models."""
    names = [f"rest-{number}" for number in range(SERVICES)]
    namespace.apply(*(mirrored_service(name, suspend=True, cache={"type": "EmptyDir"}, ingress={}) for name in names))
    eventually("all are Ready", lambda: sum(is_ready(body) for body in namespace.list("wsvc")) == SERVICES, 180)
    audit.until_quiet(audit_log, OPERATOR, audit_log.stat().st_size, limit=60)
    return namespace


def is_ready(body: dict[str, object]) -> bool:
    conditions = body.get("status", {}).get("conditions", [])  # type: ignore[union-attr]
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def test_fifty_services_at_rest_cause_no_write(at_rest: Kubectl, audit_log: Path) -> None:
    since = audit_log.stat().st_size
    time.sleep(REST_SECONDS)
    assert audit.writes(audit_log, OPERATOR, since) == []


def test_a_restarted_operator_writes_nothing(at_rest: Kubectl, kubectl: Kubectl, audit_log: Path) -> None:
    since = audit_log.stat().st_size
    operator = kubectl.within(platform.NAMESPACE)
    operator("delete", "pods", "--all", "--wait=true")
    operator("rollout", "status", "deployment", platform.RELEASE, "--timeout=120s")
    eventually("each service has had a pass", lambda: passes(operator) >= SERVICES, 120)
    time.sleep(AFTER_PASSES_SECONDS)
    assert audit.writes(audit_log, OPERATOR, since) == []


def passes(operator: Kubectl) -> float:
    """The passes that the operator's pods have had in their lives."""
    pods = [pod["metadata"]["name"] for pod in operator.list("pods") if "deletionTimestamp" not in pod["metadata"]]
    paths = [f"/api/v1/namespaces/{operator.namespace}/pods/{pod}:8080/proxy/metrics" for pod in pods]
    families = [family for path in paths for family in text_string_to_metric_families(operator("get", "--raw", path))]
    samples = [sample for family in families for sample in family.samples]
    return sum(one.value for one in samples if one.name == "controller_runtime_reconcile_total")
