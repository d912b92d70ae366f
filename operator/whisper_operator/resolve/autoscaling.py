"""The metrics that an autoscaler goes by: the spec's, or the defaults for its hardware. Pure."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.spec.autoscaling import (
    WITHOUT_PODS,
    AutoscalingSpec,
    CpuTarget,
    MemoryTarget,
    MetricSpec,
    QueuedAudioTarget,
)
from whisper_operator.api.v1alpha1 import Spec

CPU: Final = MetricSpec(type="CPU", cpu=CpuTarget())
MEMORY: Final = MetricSpec(type="Memory", memory=MemoryTarget())
QUEUED_AUDIO: Final = MetricSpec(type="QueuedAudio", queued_audio=QueuedAudioTarget())
DEFAULTS: Final = {one.type: one for one in (CPU, MEMORY, QUEUED_AUDIO)}
"""The types whose member a spec may leave out."""


def metrics_of(spec: Spec) -> tuple[MetricSpec, ...]:
    """The metrics of the service's autoscaler, each with its member; none without one, or where the spec lists none.

    docs/adr/0017-metrics-as-a-list.md says why the defaults are these.
    """
    scaling = spec.autoscaling
    if scaling is None:
        return ()
    if scaling.metrics is not None:
        return tuple(_completed(one) for one in scaling.metrics)
    has_queue = scaling.keda is not None and scaling.keda.prometheus_address is not None
    if spec.gpu:
        return (QUEUED_AUDIO,) if has_queue else (CPU,)
    return (CPU, MEMORY, QUEUED_AUDIO) if has_queue else (CPU, MEMORY)


def _completed(metric: MetricSpec) -> MetricSpec:
    has_member = metric.cpu or metric.memory or metric.queued_audio
    return metric if has_member else DEFAULTS.get(metric.type, metric)


def is_woken(scaling: AutoscalingSpec) -> bool:
    """Whether something scales a service up that has no pod: a trigger, a metric of something else, or the operator."""
    by_metric = scaling.keda.is_woken if scaling.keda else scaling.has(*WITHOUT_PODS)
    return by_metric or scaling.is_woken_by_operator


def goes_by_what_waits(spec: Spec) -> bool:
    """Whether nothing that the autoscaler measures says how busy pods are with which nothing waits."""
    scaling, types = spec.autoscaling, {one.type for one in metrics_of(spec)}
    on_demand, triggers = (scaling.keda.on_demand, scaling.keda.triggers) if scaling and scaling.keda else (False, ())
    return not triggers and types <= {"QueuedAudio", "Memory"} and ("QueuedAudio" in types or on_demand)
