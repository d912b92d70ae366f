"""WhisperServices as tests write them, and what stands in for the nodes that this control plane lacks."""

from __future__ import annotations

import json
from typing import Any

from tests.support.kubectl import Kubectl, Manifest

BASE = {"apiVersion": "whisper-operator.io/v1alpha1", "kind": "WhisperService"}
EMPTY_DIR = {"cache": {"type": "EmptyDir"}}
"""No claim and no fetch: the Deployment is there at once."""


def service(name: str, **spec: Any) -> Manifest:
    return {**BASE, "metadata": {"name": name}, "spec": {"model": {"name": "base"}, **spec}}


def job(namespace: Kubectl, name: str) -> Manifest | None:
    jobs = namespace.list("jobs", f"whisper-operator.io/service={name}")
    return jobs[0] if jobs else None


def complete_fetch(namespace: Kubectl, name: str) -> None:
    """As the Job controller does when the fetching pod has succeeded."""
    found = job(namespace, name)
    assert found is not None
    now = "2026-01-01T00:00:00Z"
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": now} for kind in ("SuccessCriteriaMet", "Complete")
    ]
    patch = {
        "status": {
            "startTime": now,
            "completionTime": now,
            "succeeded": 1,
            "conditions": conditions,
            "uncountedTerminatedPods": {},
        }
    }
    namespace(
        "patch", "job", found["metadata"]["name"], "--subresource=status", "--type=merge", "-p", json.dumps(patch)
    )


def patch(namespace: Kubectl, name: str, spec: dict[str, Any]) -> None:
    """A merge patch of the service's spec; null switches a part off."""
    namespace("patch", "wsvc", name, "--type=merge", "-p", json.dumps({"spec": spec}))


def reason(namespace: Kubectl, name: str, kind: str) -> str:
    return namespace.condition(name, kind).get("reason", "")
