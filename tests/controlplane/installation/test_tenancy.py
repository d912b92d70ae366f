"""Whoever may create WhisperServices, and nothing else, reaches nothing else by the operator's own default policy.

No policy of the API server is installed here; test_tenancy_admission.py tries the same attempts with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.controlplane.conftest import STORAGE_CLASS
from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, patch, service
from tests.support.tenancy import ATTEMPTS, as_tenant
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def restricted(plane: ControlPlane, kubectl: Kubectl) -> Iterator[OperatorProcess]:
    """The operator with the default policy, no policy of the API server beside it."""
    kubectl("apply", "-f", "-", stdin=json.dumps(STORAGE_CLASS))
    found = OperatorProcess(plane)
    found.start()
    yield found
    found.stop()
    kubectl("delete", "storageclass", "standard")


def told(who: Kubectl, name: str) -> str:
    """Reason and message of Stalled."""
    stalled = who.condition(name, "Stalled")
    return f"{stalled.get('reason')}: {stalled.get('message')}"


@pytest.fixture(scope="module")
def attempted(kubectl: Kubectl, restricted: OperatorProcess) -> Kubectl:
    """Every attempt, made at once by a tenant, with the service's name by the attempt's number."""
    tenant = as_tenant(kubectl)
    bodies = [service(f"a{place}", **spec) for place, (_, spec) in enumerate(ATTEMPTS)]
    # Not applied: kubectl leaves null out of what it applies.
    tenant("create", "-f", "-", stdin=yaml.safe_dump_all(bodies))
    return tenant


@pytest.mark.parametrize("place", range(len(ATTEMPTS)), ids=lambda place: ATTEMPTS[place][0])
def test_the_operator_refuses_an_attempt_by_its_field(attempted: Kubectl, place: int) -> None:
    says = f"PolicyViolated: {ATTEMPTS[place][0]}"
    eventually("it is refused", lambda: told(attempted, f"a{place}").startswith(says))


def test_nothing_of_an_attempt_exists(kubectl: Kubectl, attempted: Kubectl) -> None:
    names = [f"a{place}" for place in range(len(ATTEMPTS))]
    eventually("all are judged", lambda: all("PolicyViolated" in told(attempted, name) for name in names))
    kinds = "deployments,services,jobs,ingresses,pvc,serviceaccounts,hpa"
    assert kubectl.within(attempted.namespace).list(kinds, "whisper-operator.io/service") == []


def test_a_service_that_ran_before_goes_on(kubectl: Kubectl, restricted: OperatorProcess) -> None:
    tenant = as_tenant(kubectl)
    admin = kubectl.within(tenant.namespace)
    tenant.apply(service("speech", **EMPTY_DIR))
    eventually("it is deployed", lambda: admin.get("deployment", "speech"))
    before = admin.get("deployment", "speech")
    patch(tenant, "speech", {"podTemplate": {"spec": {"hostPID": True}}, "replicas": 3})
    eventually("it is refused", lambda: "spec.podTemplate.spec.hostPID true" in told(tenant, "speech"))
    after = admin.get("deployment", "speech")
    assert before is not None
    assert after is not None
    assert after["spec"]["template"] == before["spec"]["template"]
    patch(tenant, "speech", {"podTemplate": None})
    eventually("it follows its spec again", lambda: (admin.get("deployment", "speech") or {})["spec"]["replicas"] == 3)


CANARY = {f"nginx.ingress.kubernetes.io/canary{part}": value for part, value in {"": "true", "-weight": "100"}.items()}


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ("login.example.com/", {"host": "login.example.com"}),
        ("api.example.com/", {"host": "api.example.com", "path": "/admin"}),
        ("*.apps.example.com/", {"host": "payroll.apps.example.com"}),
        ("mail.example.com/", {"host": "mail.example.com", "className": "another"}),  # of the same controller, perhaps
        ("pay.example.com/admin", {"host": "pay.example.com"}),
        ("crm.example.com/", {"host": "crm.example.com", "annotations": CANARY}),
    ],
)
def test_a_host_of_another_namespace_is_not_taken(
    kubectl: Kubectl, namespace: Kubectl, restricted: OperatorProcess, theirs: str, mine: dict[str, Any]
) -> None:
    namespace("create", "ingress", "private-name", "--class=public", f"--rule={theirs}=web:80")
    tenant = as_tenant(kubectl)
    admin = kubectl.within(tenant.namespace)
    eventually("theirs is known", lambda: namespace.get("ingress", "private-name"))
    own = f"{tenant.namespace}.example.com"
    tenant.apply(service("speech", **EMPTY_DIR, ingress=mine), service("moved", **EMPTY_DIR, ingress={"host": own}))
    eventually("it is told", lambda: tenant.condition("speech", "PreflightPassed").get("reason") == "HostTaken")
    message = tenant.condition("speech", "PreflightPassed")["message"]
    assert message.startswith(f"spec.ingress.host {mine['host']}")
    assert "is taken by an Ingress of another namespace" in message
    assert admin.get("ingress", "speech") is None

    eventually("one has a host of its own", lambda: admin.get("ingress", "moved"))
    patch(tenant, "moved", {"ingress": mine})
    eventually("it is told", lambda: tenant.condition("moved", "PreflightPassed").get("reason") == "HostTaken")
    kept = admin.get("ingress", "moved")
    assert kept is not None
    assert kept["spec"]["rules"][0]["host"] == own
    assert "private-name" not in json.dumps([tenant.get("wsvc", name) for name in ("speech", "moved")])


def test_the_name_of_a_service_is_no_way_to_an_account(kubectl: Kubectl, restricted: OperatorProcess) -> None:
    tenant = as_tenant(kubectl)
    admin = kubectl.within(tenant.namespace)
    admin("create", "serviceaccount", "powerful")
    tenant.apply(service("powerful", **EMPTY_DIR))
    eventually("it is told", lambda: "ServiceAccount/powerful exists and does not" in told(tenant, "powerful"))
    assert admin.get("service", "powerful") is not None
    assert admin.get("deployment", "powerful") is None


def test_a_secret_of_another_kind_is_no_list_of_api_keys(kubectl: Kubectl, restricted: OperatorProcess) -> None:
    tenant = as_tenant(kubectl)
    admin = kubectl.within(tenant.namespace)
    admin("create", "secret", "generic", "database-admin", "--from-literal=password=x")
    tenant.apply(service("speech", **EMPTY_DIR, auth={"secretRef": {"name": "database-admin"}}))
    eventually("it is told", lambda: "PolicyViolated" in told(tenant, "speech"))
    assert "named in spec.auth.secretRef, has the key password" in told(tenant, "speech")
    assert admin.get("deployment", "speech") is None
