"""The HorizontalPodAutoscaler."""

from __future__ import annotations

from typing import Any, Final

from whisper_operator.api.spec.autoscaling import (
    ExternalTarget,
    MetricSpec,
    MetricTarget,
    ObjectTarget,
    QueuedAudioTarget,
)
from whisper_operator.api.units import canonical_quantity, duration_seconds
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.behavior import behavior
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import AUTOSCALER, DEPLOYMENT, SERVICE
from whisper_operator.resolve.autoscaling import metrics_of
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.metric_names import FRONT_HELD_AUDIO_METRIC, FRONT_HELD_WAIT_METRIC, QUEUED_AUDIO_METRIC

WAIT_METRIC: Final = "whisper_wait_seconds"
"""What a metrics adapter makes of two metrics of a pod, by the rule in examples/prometheus-adapter."""


def build(resolved: Resolved) -> Manifest | None:
    service = resolved.service
    wanted = service.spec.autoscaling
    if wanted is None or wanted.keda is not None:
        return None
    # An autoscaler leaves a Deployment of no pods alone where its smallest number is 1 or more: one that is suspended,
    # and one that is between no pod and the first, which is the operator's to decide.
    is_ours = service.spec.suspend or wanted.is_woken_by_operator
    found = behavior(service.spec)
    fewest = max(1, wanted.min_replicas) if is_ours else wanted.min_replicas
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
            "minReplicas": fewest,
            "maxReplicas": wanted.max_replicas,
            "metrics": [metric for one in metrics_of(service.spec) for metric in _metrics(service, one)],
            **({"behavior": found} if found else {}),
        },
    )


def _metrics(service: WhisperService, wanted: MetricSpec) -> list[Manifest]:
    """The metric, and beside the queue of the pods that of the front, where there is one: most waits there."""
    if wanted.queued_audio is None or service.spec.wanted_front is None:
        return [_metric(wanted)]
    return [_metric(wanted), _at_front(service, wanted.queued_audio)]


def _at_front(service: WhisperService, wanted: QueuedAudioTarget) -> Manifest:
    """A metric of the Service of the front's metrics, which all its pods have a part in."""
    name = FRONT_HELD_WAIT_METRIC if wanted.average_wait else FRONT_HELD_AUDIO_METRIC
    described = {"apiVersion": "v1", "kind": SERVICE.kind, "name": names.front_metrics(service.metadata.name)}
    seconds = canonical_quantity(duration_seconds(wanted.average_wait or wanted.average_duration))
    target = {"type": "AverageValue", "averageValue": seconds}
    return {"type": "Object", "object": {"metric": {"name": name}, "describedObject": described, "target": target}}


def _metric(wanted: MetricSpec) -> Manifest:
    """The metric as a HorizontalPodAutoscaler has it; raises ValueError without the member that its type names."""
    if wanted.cpu:
        return _utilization("cpu", wanted.cpu.average_utilization)
    if wanted.memory:
        return _utilization("memory", wanted.memory.average_utilization)
    if wanted.queued_audio:
        wait = wanted.queued_audio.average_wait
        name = WAIT_METRIC if wait else QUEUED_AUDIO_METRIC
        seconds = duration_seconds(wait or wanted.queued_audio.average_duration)
        return _of_pods({"metric": {"name": name}}, canonical_quantity(seconds))
    if wanted.pods:
        return _of_pods(_named(wanted.pods), str(wanted.pods.average_value))
    if wanted.object:
        return {"type": "Object", "object": _of_object(wanted.object)}
    if wanted.external:
        return {"type": "External", "external": {**_named(wanted.external), "target": _target(wanted.external)}}
    raise ValueError(f"a metric of the type {wanted.type} lacks its field")


def _utilization(resource: str, percent: int) -> Manifest:
    """Of the server's container alone: one beside it without requests would keep the pod's from being computed."""
    target = {"type": "Utilization", "averageUtilization": percent}
    of_server = {"name": resource, "container": names.SERVER, "target": target}
    return {"type": "ContainerResource", "containerResource": of_server}


def _of_pods(metric: dict[str, Any], amount: str) -> Manifest:
    return {"type": "Pods", "pods": {**metric, "target": {"type": "AverageValue", "averageValue": amount}}}


def _of_object(wanted: ObjectTarget) -> Manifest:
    described = wanted.described_object.model_dump(by_alias=True)
    return {**_named(wanted), "describedObject": described, "target": _target(wanted)}


def _named(wanted: MetricTarget) -> dict[str, Any]:
    selector = {"selector": {"matchLabels": wanted.match_labels}} if wanted.match_labels else {}
    return {"metric": {"name": wanted.metric_name, **selector}}


def _target(wanted: ExternalTarget) -> Manifest:
    if wanted.value is not None:
        return {"type": "Value", "value": str(wanted.value)}
    return {"type": "AverageValue", "averageValue": str(wanted.average_value)}
