"""A service that asks for a child of every kind but the HorizontalPodAutoscaler, in whose place KEDA's object is."""

from __future__ import annotations

from typing import Any

from tests.support.kubectl import Kubectl
from tests.support.services import service
from whisper_operator.api.v1alpha1 import Manifest


def everything(namespace: Kubectl, **more: Any) -> Manifest:
    host = f"{namespace.namespace}.example.com"
    parts: dict[str, Any] = {
        "ingress": {"host": host},
        "gateway": {"parentRefs": [{"name": "public"}], "hostnames": [f"gateway.{host}"]},
        "autoscaling": {"keda": {}},
        "disruption": {"maxUnavailable": 1},
        "networkPolicy": {"allowTo": [{}]},
        "monitoring": {"serviceMonitor": {}, "alerts": {}},
        "front": {},
    }
    return service("speech", **parts, **more)
