"""KEDA's ScaledObject, which makes the HorizontalPodAutoscaler itself; where the cluster has KEDA.

Source: https://keda.sh/docs/latest/reference/scaledobject-spec/
"""

from __future__ import annotations

from typing import Any, Final

from whisper_operator.api.base import ApiModel
from whisper_operator.api.spec.autoscaling import MetricSpec, QueuedAudioTarget
from whisper_operator.api.spec.keda import DEMAND_TRIGGER, OWN_TRIGGER, KedaSpec
from whisper_operator.api.units import duration_seconds
from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.build.behavior import behavior
from whisper_operator.build.meta import child
from whisper_operator.build.series import series_of, series_of_front
from whisper_operator.objects import names
from whisper_operator.objects.kinds import SCALED_OBJECT
from whisper_operator.resolve.autoscaling import metrics_of
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.zero import has_to_run
from whisper_runtime.contract.metric_names import FRONT_HELD_AUDIO_METRIC, QUEUED_AUDIO_METRIC, REALTIME_FACTOR_METRIC
from whisper_runtime.contract.network import DEMAND_PATH, METRICS_PORT

REQUESTS_EACH: Final = 8
"""Requests that the front has for each pod; with more KEDA adds one."""
PAUSED: Final = "autoscaling.keda.sh/paused-replicas"
FORCED: Final = "autoscaling.keda.sh/force-activation"
"""Has KEDA start the first pod, and keep it, whatever the triggers say; from KEDA 2.18 on."""


def build(resolved: Resolved) -> Manifest | None:
    service, scaling = resolved.service, resolved.service.spec.autoscaling
    if scaling is None or scaling.keda is None or SCALED_OBJECT not in resolved.installation.kinds:
        return None
    # KEDA's admission refuses to scale a Deployment that does not exist.
    if resolved.deployment is None and resolved.live(SCALED_OBJECT) is None:
        return None
    return child(
        service,
        SCALED_OBJECT,
        service.metadata.name,
        annotations=_annotations(resolved, scaling.min_replicas),
        spec={
            "scaleTargetRef": {"name": service.metadata.name},
            "minReplicaCount": scaling.min_replicas,
            "maxReplicaCount": scaling.max_replicas,
            **_times(scaling.keda),
            **_advanced(service.spec, scaling.keda),
            **({"fallback": _json(scaling.keda.fallback)} if scaling.keda.fallback else {}),
            "triggers": [
                *(_trigger(service, scaling.keda, one) for one in metrics_of(service.spec)),
                *([_demand(service)] if scaling.keda.on_demand else []),
                *(_json(one) for one in scaling.keda.triggers),
            ],
        },
    )


def _annotations(resolved: Resolved, fewest: int) -> dict[str, str]:
    """What KEDA is told for the time being.

    It would scale a suspended service up again; and end the first pod of a service at once, for no trigger has asked
    for it yet, before it has proven the model.
    """
    if resolved.service.spec.suspend:
        return {PAUSED: "0"}
    return {FORCED: "true"} if fewest == 0 and has_to_run(resolved) else {}


def _times(keda: KedaSpec) -> Manifest:
    given = {"pollingInterval": keda.polling_interval, "cooldownPeriod": keda.cooldown_period}
    return {name: duration_seconds(time) for name, time in given.items() if time is not None}


def _advanced(spec: Spec, keda: KedaSpec) -> Manifest:
    wanted = behavior(spec)
    own = {"horizontalPodAutoscalerConfig": {"behavior": wanted}} if wanted else {}
    found = own | (_json(keda.advanced) if keda.advanced else {})
    return {"advanced": found} if found else {}


def _trigger(service: WhisperService, keda: KedaSpec, metric: MetricSpec) -> Manifest:
    """The trigger that reads a metric; raises ValueError for one of a type that KEDA has no trigger for."""
    if metric.cpu:
        return _utilization("cpu", metric.cpu.average_utilization)
    if metric.memory:
        return _utilization("memory", metric.memory.average_utilization)
    if metric.queued_audio and keda.prometheus_address:
        return _queued_audio(service, keda, metric.queued_audio)
    if metric.queued_audio:
        return _held_audio(service, metric.queued_audio)
    raise ValueError(f"KEDA has no trigger for a metric of the type {metric.type}")


def _utilization(resource: str, percent: int) -> Manifest:
    """Of the server's container alone: KEDA refuses the pod's where one beside it has no requests."""
    metadata = {"value": str(percent), "containerName": names.SERVER}
    return {"type": resource, "metricType": "Utilization", "metadata": metadata}


def _queued_audio(service: WhisperService, keda: KedaSpec, target: QueuedAudioTarget) -> Manifest:
    """The trigger on waiting audio; KEDA divides the sum by the number of pods, as for any `AverageValue`."""
    return {
        "type": "prometheus",
        "name": OWN_TRIGGER,
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": keda.prometheus_address,
            "query": _waiting(service, in_seconds_of_work=target.average_wait is not None),
            "threshold": str(duration_seconds(target.average_wait or target.average_duration)),
            **({"authModes": ",".join(keda.auth_modes)} if keda.auth_modes else {}),
        },
        **({"authenticationRef": _json(keda.authentication_ref)} if keda.authentication_ref else {}),
    }


def _waiting(service: WhisperService, *, in_seconds_of_work: bool) -> str:
    """The query of the audio that waits at the pods, and at the front where there is one; or of the time that takes."""
    queued, speed = (series_of(service).of(name) for name in (QUEUED_AUDIO_METRIC, REALTIME_FACTOR_METRIC))
    at_pods = f"sum({queued} / {speed}) or vector(0)" if in_seconds_of_work else f"sum({queued}) or vector(0)"
    if service.spec.wanted_front is None:
        return at_pods
    held = f"sum({series_of_front(service).of(FRONT_HELD_AUDIO_METRIC)})"
    at_front = f"{held} / avg({speed})" if in_seconds_of_work else held
    return f"({at_pods}) + ({at_front} or vector(0))"


def _held_audio(service: WhisperService, target: QueuedAudioTarget) -> Manifest:
    """The trigger on audio that waits at the front, where all of it waits but what pods are about to begin with."""
    of_front = "heldWaitSeconds" if target.average_wait else "heldAudioSeconds"
    return _of_front(service, OWN_TRIGGER, of_front, duration_seconds(target.average_wait or target.average_duration))


def _demand(service: WhisperService) -> Manifest:
    """The trigger on requests that the front has."""
    return _of_front(service, DEMAND_TRIGGER, "wantedRequests", REQUESTS_EACH)


def _of_front(service: WhisperService, name: str, field: str, each: float) -> Manifest:
    """The trigger on a number of the front, so much of it for each pod: KEDA adds up what each pod of it answers.

    Source: https://keda.sh/docs/latest/scalers/metrics-api/
    """
    host = f"{names.front_metrics(service.metadata.name)}.{service.metadata.namespace}.svc"
    return {
        "type": "metrics-api",
        "name": name,
        "metricType": "AverageValue",
        "metadata": {
            "url": f"http://{host}:{METRICS_PORT}{DEMAND_PATH}",
            "valueLocation": field,
            "targetValue": str(each),
            "aggregateFromKubeServiceEndpoints": "true",
            "aggregationType": "sum",
        },
    }


def _json(part: ApiModel) -> dict[str, Any]:
    """The part as KEDA has it, under the same names; without what is false, which KEDA's own writes leave out."""
    found = part.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {name: value for name, value in found.items() if value is not False}
