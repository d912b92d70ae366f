"""Nothing is written at rest, and nothing after a restart: the API server's audit log says so."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from testbed import audit
from testbed.demo import platform
from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service
from tests.support.waiting import eventually

SERVICES = 50
REST_SECONDS = 60
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
    kubectl("-n", platform.NAMESPACE, "delete", "pods", "--all", "--wait=true")
    kubectl("-n", platform.NAMESPACE, "rollout", "status", "deployment", platform.RELEASE, "--timeout=120s")
    time.sleep(REST_SECONDS)
    assert audit.writes(audit_log, OPERATOR, since) == []
