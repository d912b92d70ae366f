"""The disruption budget that a service has by default, and the user's own in its place."""

from __future__ import annotations

import pytest

from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("running")

MINE = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "mine"},
    "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app.kubernetes.io/instance": "speech"}}},
}


def test_a_drain_takes_one_pod_at_a_time_once_more_than_one_can_run(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("one pod is wanted", lambda: namespace.get("deployment", "speech"))
    assert namespace.get("pdb", "speech") is None
    template = (namespace.get("deployment", "speech") or {})["spec"]["template"]
    patch(namespace, "speech", {"replicas": 2})
    eventually("there is a budget", lambda: namespace.get("pdb", "speech"))
    assert (namespace.get("pdb", "speech") or {})["spec"]["maxUnavailable"] == 1
    assert (namespace.get("deployment", "speech") or {})["spec"]["template"] == template
    patch(namespace, "speech", {"disruption": {"enabled": False}})
    eventually("there is none", lambda: namespace.get("pdb", "speech") is None)


def test_no_second_budget_is_made_of_pods_that_have_one(namespace: Kubectl) -> None:
    namespace.apply(MINE, service("speech", replicas=2, **EMPTY_DIR))
    eventually("the pods are wanted", lambda: reason(namespace, "speech", "RolledOut"))
    assert namespace.get("pdb", "speech") is None
    namespace("delete", "pdb", "mine")
    patch(namespace, "speech", {"logging": {"level": "debug"}})
    eventually("there is a budget", lambda: namespace.get("pdb", "speech"))
