"""The HorizontalPodAutoscaler."""

from __future__ import annotations

from whisper_operator.api.units import canonical_quantity
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.meta import child
from whisper_operator.objects.kinds import AUTOSCALER, DEPLOYMENT
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.metric_names import QUEUED_AUDIO_METRIC


def build(resolved: Resolved) -> Manifest | None:
    service = resolved.service
    wanted = service.spec.autoscaling
    if wanted is None or wanted.keda is not None:
        return None
    return child(
        service,
        AUTOSCALER,
        service.metadata.name,
        spec={
            "scaleTargetRef": {
                "apiVersion": DEPLOYMENT.api_version,
                "kind": DEPLOYMENT.kind,
                "name": service.metadata.name,
            },
            "minReplicas": wanted.min_replicas,
            "maxReplicas": wanted.max_replicas,
            "metrics": [
                _utilization("cpu", wanted.cpu),
                _utilization("memory", wanted.memory),
                *([_queued_audio(wanted.queued_audio_seconds)] if wanted.queued_audio_seconds else []),
            ],
            **({"behavior": wanted.behavior} if wanted.behavior else {}),
        },
    )


def _utilization(resource: str, percent: int) -> Manifest:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": resource, "target": target}}


def _queued_audio(seconds: int) -> Manifest:
    target = {"type": "AverageValue", "averageValue": str(canonical_quantity(seconds))}
    return {"type": "Pods", "pods": {"metric": {"name": QUEUED_AUDIO_METRIC}, "target": target}}
