"""The end of a namespace's pods, which a test awaits before it removes what they run on."""

from __future__ import annotations

import json
from typing import Any

from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

SECONDS = 400


def all_pods_leave(namespace: Kubectl) -> None:
    """Waits until no pod is left; raises AssertionError, which tells of each that is, when one stays."""
    try:
        eventually("no pod is left", lambda: not namespace.list("pods"), SECONDS)
    except AssertionError as error:
        left = [_summary(pod) for pod in namespace.list("pods")]
        raise AssertionError(f"{error}\n{json.dumps(left, indent=1)}") from None


def _summary(pod: Manifest) -> dict[str, Any]:
    metadata, status = pod["metadata"], pod["status"]
    return {
        "name": metadata["name"],
        "created": metadata["creationTimestamp"],
        "to end by": metadata.get("deletionTimestamp"),
        "owners": [f"{one['kind']}/{one['name']}" for one in metadata.get("ownerReferences", ())],
        "phase": status["phase"],
        "reason": status.get("reason"),
        "containers": {one["name"]: one["state"] for one in status.get("containerStatuses", ())},
    }
