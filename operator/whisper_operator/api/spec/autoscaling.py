"""The spec's part about an autoscaler: how many pods, by which metrics."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, at_most, text
from whisper_operator.api.maps import Labels, Quantity
from whisper_operator.api.scalars import Duration, ObjectName, Opaque
from whisper_operator.api.spec.keda import KedaSpec
from whisper_operator.api.units import quantity

Percent = Annotated[int, Field(ge=1, le=1000)]
MetricName = Annotated[
    str,
    *text(
        "^[!-$&-.0-~]*[A-Za-z0-9][!-$&-.0-~]*$",
        "is not a valid name of a metric; for example queue_length, without spaces, / and %",
        longest=253,
    ),
]
_POSITIVE: Final = "!has(self.{0}) || quantity(string(self.{0})).isGreaterThan(quantity('0'))"


def _is_positive(field: str, amount: str) -> Rule:
    """`field`: as Python names it; `amount`: as the manifest does."""
    return Rule(
        _POSITIVE.format(amount),
        f"spec.autoscaling.metrics: {amount} is 0, below which no number of pods brings a metric: write more",
        lambda self: getattr(self, field) is None or quantity(getattr(self, field)) > 0,
    )


class CpuTarget(ApiModel):
    average_utilization: Percent = 70
    """Target of the server containers' CPU usage, in percent of their request."""


class MemoryTarget(ApiModel):
    average_utilization: Percent = 80
    """Target of the server containers' memory usage, in percent of their request."""


class QueuedAudioTarget(ApiModel):
    average_duration: Duration = "60s"
    """Target of the audio that waits in each pod."""
    average_wait: Duration | None = None
    """Target of the time until each pod has transcribed what waits in it, at the speed that it measures; takes the
    place of averageDuration, which means another time for each model and device."""


class MetricTarget(ApiModel):
    metric_name: MetricName
    """Name of the metric, as the metrics API serves it."""
    match_labels: Labels = Field(default_factory=dict[str, str])
    """Labels of the metric's series."""


class PodsTarget(MetricTarget):
    average_value: Quantity
    """Target for each pod."""

    rules: ClassVar[tuple[Rule, ...]] = (_is_positive("average_value", "averageValue"),)


class ExternalTarget(MetricTarget):
    value: Quantity | None = None
    """Target for the metric itself. Give this or averageValue."""
    average_value: Quantity | None = None
    """Target for the metric, divided by the number of pods. Give this or value."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.value) != has(self.averageValue)",
            "spec.autoscaling.metrics: a metric of the type Object or External needs exactly one of value and "
            "averageValue: set one and remove the other",
            lambda self: (self.value is None) != (self.average_value is None),
        ),
        _is_positive("value", "value"),
        _is_positive("average_value", "averageValue"),
    )


class DescribedObject(ApiModel):
    api_version: Annotated[str, *text("^[-./a-z0-9]+$", "is not a valid API version; for example v1", longest=253)]
    """API version of the object, such as v1 or networking.k8s.io/v1."""
    kind: Annotated[str, *text("^[A-Za-z][A-Za-z0-9]*$", "is not a valid kind; for example Service", longest=63)]
    """Kind of the object."""
    name: ObjectName
    """Name of the object, in the service's namespace."""


class ObjectTarget(ExternalTarget):
    described_object: DescribedObject
    """The object that the metric is about."""


MEMBERS: Final = {
    "CPU": "cpu",
    "Memory": "memory",
    "QueuedAudio": "queued_audio",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}
"""The member that belongs to each type, as Python names it."""
WITH_DEFAULTS: Final = ("CPU", "Memory", "QueuedAudio")
"""Types whose member may be absent, and that occur once."""
WITHOUT_PODS: Final = ("Object", "External")
"""Types that an autoscaler can read while there is no pod."""


class MetricSpec(ApiModel):
    type: Literal["CPU", "Memory", "QueuedAudio", "Pods", "Object", "External"]
    """Source of the metric; says which of the other fields applies."""
    name: Annotated[
        str,
        *text(
            "^([a-z]([-a-z0-9]*[a-z0-9])?)?$",
            "is not a valid name; use lower-case letters, digits and hyphens",
            longest=63,
        ),
    ] = ""
    """Tells several metrics of the type Pods, Object or External apart."""
    cpu: CpuTarget | None = None
    """CPU of the pods' server container. Needs metrics-server."""
    memory: MemoryTarget | None = None
    """Memory of the pods' server container. Needs metrics-server."""
    queued_audio: QueuedAudioTarget | None = None
    """Audio that waits for the pods. Needs `keda.prometheusAddress`, `keda.onDemand`, or a custom metrics API."""
    pods: PodsTarget | None = None
    """Another metric of the pods. Needs a custom metrics API."""
    object: ObjectTarget | None = None
    """Metric of an object of the namespace. Needs a custom metrics API."""
    external: ExternalTarget | None = None
    """Metric of something outside the cluster. Needs an external metrics API."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(!has(self.cpu) || self.type == 'CPU') && (!has(self.memory) || self.type == 'Memory') && "
            "(!has(self.queuedAudio) || self.type == 'QueuedAudio') && has(self.pods) == (self.type == 'Pods') && "
            "has(self.object) == (self.type == 'Object') && has(self.external) == (self.type == 'External')",
            "spec.autoscaling.metrics: a metric has the field that its type names and no other: CPU has cpu, Memory "
            "memory, QueuedAudio queuedAudio (these three have defaults), Pods pods, Object object, External external: "
            "add that field, and remove the others",
            lambda self: _has_its_member(self),
        ),
        Rule(
            "!has(self.name) || self.name == '' || !(self.type in ['CPU', 'Memory', 'QueuedAudio'])",
            "spec.autoscaling.metrics: name is for the types Pods, Object and External, for the others occur once: "
            "remove it",
            lambda self: not self.name or self.type not in WITH_DEFAULTS,
        ),
    )


def _has_its_member(metric: MetricSpec) -> bool:
    present = {kind for kind, member in MEMBERS.items() if getattr(metric, member) is not None}
    return present == {metric.type} or (not present and metric.type in WITH_DEFAULTS)


class AutoscalingSpec(ApiModel):
    min_replicas: Annotated[int, Field(ge=0, le=1000)] = 2
    """Minimum number of pods. With 0, `front` takes requests while there is no pod, and the operator starts one for
    them; unless a metric of the type Object or External (from Kubernetes 1.37 on) or `keda` is to do that, by its
    triggers or, with `keda.onDemand`, by what the front has."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)] = 10
    """Maximum number of pods."""
    scale_to_zero_after: Duration | None = None
    """Time without a request after which the operator ends the last pods, where minReplicas is 0. Absent: 10m."""
    metrics: Annotated[tuple[MetricSpec, ...], *at_most(16)] | None = None
    """Metrics; the one that asks for most pods counts. Absent: CPU and Memory; with `gpu` CPU alone. With
    `keda.prometheusAddress` QueuedAudio too, which with `gpu` takes the place of CPU."""
    behavior: Opaque | None = None
    """Scaling behavior, as in a HorizontalPodAutoscaler."""
    keda: KedaSpec | None = None
    """Create a KEDA ScaledObject instead of a HorizontalPodAutoscaler."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.minReplicas <= self.maxReplicas",
            "spec.autoscaling.minReplicas is larger than maxReplicas: lower minReplicas or raise maxReplicas",
            lambda self: self.min_replicas <= self.max_replicas,
        ),
        Rule(
            "!has(self.scaleToZeroAfter) || (self.minReplicas == 0 && !has(self.keda) && "
            "!(has(self.metrics) && self.metrics.exists(one, one.type in ['Object', 'External'])))",
            "spec.autoscaling.scaleToZeroAfter is for a service that the operator itself scales to zero pods: write "
            "spec.autoscaling.minReplicas 0, and remove keda and metrics of the type Object or External, which do it "
            "otherwise; or remove the field",
            lambda self: self.scale_to_zero_after is None or self.is_woken_by_operator,
        ),
        Rule(
            "self.minReplicas > 0 || !has(self.keda) || has(self.keda.prometheusAddress) || "
            "(has(self.keda.onDemand) && self.keda.onDemand) || "
            "(has(self.keda.triggers) && self.keda.triggers.exists(one, !(one.type in ['cpu', 'memory'])))",
            "spec.autoscaling.minReplicas is 0, which KEDA refuses where all triggers are on CPU and memory: write 1 "
            "or more, or let another trigger in: spec.autoscaling.keda.onDemand, prometheusAddress or triggers",
            lambda self: self.min_replicas > 0 or self.keda is None or self.keda.asks_others,
        ),
        Rule(
            "!has(self.metrics) || size(self.metrics) > 0 || "
            "(has(self.keda) && (has(self.keda.triggers) && size(self.keda.triggers) > 0 || "
            "has(self.keda.onDemand) && self.keda.onDemand))",
            "spec.autoscaling.metrics is empty, and an autoscaler needs something to go by: add a metric, or remove "
            "the field for the defaults",
            lambda self: (
                self.metrics is None
                or bool(self.metrics)
                or bool(self.keda and (self.keda.triggers or self.keda.on_demand))
            ),
        ),
        Rule(
            "!has(self.metrics) || self.metrics.all(one, self.metrics.exists_one(other, other.type == one.type && "
            "(has(other.name) ? other.name : '') == (has(one.name) ? one.name : '')))",
            "spec.autoscaling.metrics has two of the same type and name: remove one, or give those of the type Pods, "
            "Object or External names of their own",
            lambda self: len({(one.type, one.name) for one in self.metrics or ()}) == len(self.metrics or ()),
        ),
        Rule(
            "!has(self.keda) || !has(self.metrics) || !self.metrics.exists(one, one.type in ['Pods', 'Object', "
            "'External'])",
            "spec.autoscaling.metrics has one of the type Pods, Object or External, which KEDA reads by triggers "
            "instead: move it to spec.autoscaling.keda.triggers, or remove spec.autoscaling.keda",
            lambda self: self.keda is None or not self.has("Pods", *WITHOUT_PODS),
        ),
        Rule(
            "!has(self.keda) || !has(self.metrics) || (self.metrics.exists(one, one.type == 'QueuedAudio') ? "
            "has(self.keda.prometheusAddress) || (has(self.keda.onDemand) && self.keda.onDemand) : "
            "!has(self.keda.prometheusAddress))",
            "spec.autoscaling.keda.prometheusAddress and the metric QueuedAudio need each other: KEDA reads the audio "
            "that waits from that Prometheus, or with spec.autoscaling.keda.onDemand from the front: add the one that "
            "is missing, or remove the other",
            lambda self: (
                self.keda is None
                or self.metrics is None
                or (self.keda.prometheus_address is not None) == self.has("QueuedAudio")
                or (self.keda.on_demand and self.has("QueuedAudio"))
            ),
        ),
    )

    @property
    def needs_front(self) -> bool:
        """Whether somebody asks a front what clients want, which has to be there for that."""
        return self.is_woken_by_operator or (self.keda is not None and self.keda.on_demand)

    @property
    def is_woken_by_operator(self) -> bool:
        """Whether the operator itself scales between no pod and one: nothing else of the spec is to."""
        return self.min_replicas == 0 and self.keda is None and not self.has(*WITHOUT_PODS)

    @property
    def sleeps_after(self) -> str:
        """The time without a request after which the last pods end, the default where the spec leaves it open."""
        return self.scale_to_zero_after or "10m"

    def has(self, *types: str) -> bool:
        """Whether a metric of one of those types is in the list."""
        return any(one.type in types for one in self.metrics or ())
