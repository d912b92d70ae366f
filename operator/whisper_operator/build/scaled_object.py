"""KEDA's ScaledObject, which makes the HorizontalPodAutoscaler itself; where the cluster has KEDA.

Source: https://keda.sh/docs/latest/reference/scaledobject-spec/
"""

from __future__ import annotations

from typing import Final

from whisper_operator.api.spec.replicas import AutoscalingSpec
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.meta import child
from whisper_operator.build.series import series_of
from whisper_operator.objects.kinds import SCALED_OBJECT
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.metric_names import QUEUED_AUDIO_METRIC

QUEUED_AUDIO_SECONDS: Final = 60
"""Target for each pod where a Prometheus is named and the spec sets none: what a pod clears in well under a minute."""
PAUSED: Final = "autoscaling.keda.sh/paused-replicas"


def build(resolved: Resolved) -> Manifest | None:
    service, scaling = resolved.service, resolved.service.spec.autoscaling
    if scaling is None or scaling.keda is None or SCALED_OBJECT not in resolved.installation.kinds:
        return None
    # KEDA's admission refuses to scale a Deployment that does not exist.
    if resolved.deployment is None and resolved.live(SCALED_OBJECT) is None:
        return None
    keda = scaling.keda
    return child(
        service,
        SCALED_OBJECT,
        service.metadata.name,
        # KEDA would otherwise scale a suspended service up again.
        annotations={PAUSED: "0"} if service.spec.suspend else {},
        spec={
            "scaleTargetRef": {"name": service.metadata.name},
            "minReplicaCount": scaling.min_replicas,
            "maxReplicaCount": scaling.max_replicas,
            **({"pollingInterval": keda.polling_interval} if keda.polling_interval is not None else {}),
            **({"cooldownPeriod": keda.cooldown_period} if keda.cooldown_period is not None else {}),
            **(
                {"advanced": {"horizontalPodAutoscalerConfig": {"behavior": scaling.behavior}}}
                if scaling.behavior
                else {}
            ),
            "triggers": _triggers(service, scaling),
        },
    )


def _triggers(service: WhisperService, scaling: AutoscalingSpec) -> list[Manifest]:
    address = scaling.keda.prometheus_address if scaling.keda else None
    queue = [_queued_audio(service, address, scaling.queued_audio_seconds or QUEUED_AUDIO_SECONDS)] if address else []
    return [_utilization("cpu", scaling.cpu), _utilization("memory", scaling.memory), *queue]


def _utilization(resource: str, percent: int) -> Manifest:
    return {"type": resource, "metricType": "Utilization", "metadata": {"value": str(percent)}}


def _queued_audio(service: WhisperService, address: str, seconds: int) -> Manifest:
    """The trigger on waiting audio; KEDA divides the sum by the number of pods, as for any `AverageValue`."""
    return {
        "type": "prometheus",
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": address,
            "query": f"sum({series_of(service).of(QUEUED_AUDIO_METRIC)}) or vector(0)",
            "threshold": str(seconds),
        },
    }
