"""A change of a service's pods on a cluster that runs them: made, awaited, and how it was decided."""

from __future__ import annotations

import itertools
from typing import Any

from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually

_changes = itertools.count(1)


def change(kubectl: Kubectl, *names: str) -> None:
    """Changes the template of the services' pods, and nothing that matters to them."""
    changed = {"spec": {"server": {"env": [{"name": "CHANGE", "value": str(next(_changes))}]}}}
    for name in names:
        kubectl.patch("wsvc", name, changed)


def pods(kubectl: Kubectl, name: str) -> dict[str, dict[str, Any]]:
    """The serving pods of a service, those on their way out included.

    Not those that have ended: a pod that the kubelet refuses, for its GPU has gone meanwhile, stays for good as Failed.
    """
    found = kubectl.pods_of(name)
    return {pod["metadata"]["name"]: pod for pod in found if pod["status"]["phase"] not in ("Failed", "Succeeded")}


def rolled_out(kubectl: Kubectl, name: str, old: dict[str, Any], seconds: float = 300) -> None:
    """Waits until only new pods are there, and the service is Ready with them."""
    eventually(f"{name} has new pods only", lambda: (now := pods(kubectl, name)) and not now.keys() & old, seconds)
    kubectl.wait_ready(name)


def decision(kubectl: Kubectl, name: str) -> tuple[str, str]:
    """Strategy and reason, as status shows them."""
    body = kubectl.get("wsvc", name)
    assert body is not None
    return body["status"]["rollout"]["strategy"], body["status"]["rollout"]["reason"]
