"""The spec's parts about the number of pods, and how they are replaced and drained."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, text
from whisper_operator.api.scalars import CountOrPercent, Duration, Opaque

Percent = Annotated[int, Field(ge=1, le=1000)]


class KedaSpec(ApiModel):
    polling_interval: Annotated[int, Field(ge=1, le=86400)] | None = None
    """Seconds between two queries of the metric."""
    cooldown_period: Annotated[int, Field(ge=0, le=86400)] | None = None
    """Seconds without activity after which KEDA scales to zero."""
    prometheus_address: (
        Annotated[
            str,
            *text(
                "^https?://[!-~]+$", "is not a valid URL; for example http://prometheus.monitoring:9090", longest=2048
            ),
        ]
        | None
    ) = None
    """URL of the Prometheus that KEDA queries."""


class AutoscalingSpec(ApiModel):
    min_replicas: Annotated[int, Field(ge=0, le=1000)] = 2
    """Minimum number of pods. 0 needs `keda`, and a user who scales the service up again: without pods, no metric
    does."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)] = 10
    """Maximum number of pods."""
    cpu: Percent = 70
    """Target of the pods' CPU usage, in percent of their request."""
    memory: Percent = 80
    """Target of the pods' memory usage, in percent of their request."""
    queued_audio_seconds: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Target of the audio that waits in each pod, in seconds; needs a custom metrics API."""
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
            "self.minReplicas > 0 || has(self.keda)",
            "spec.autoscaling.minReplicas is 0, which only KEDA supports: write 1 or more, or add "
            "spec.autoscaling.keda",
            lambda self: self.min_replicas > 0 or self.keda is not None,
        ),
    )


class RolloutSpec(ApiModel):
    strategy: Literal["Auto", "Surge", "Replace"] = "Auto"
    """Surge starts the new pod first; Replace stops the old one first, for nodes without a free GPU; Auto chooses."""
    drain_timeout: Duration = "10m"
    """Time that a terminating pod may take to finish its requests."""


class DisruptionSpec(ApiModel):
    min_available: CountOrPercent | None = None
    """Pods that a drain must leave available: a number or a percentage."""
    max_unavailable: CountOrPercent | None = None
    """Pods that a drain may make unavailable: a number or a percentage."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.minAvailable) != has(self.maxUnavailable)",
            "spec.disruption needs exactly one of minAvailable and maxUnavailable: set one and remove the other",
            lambda self: (self.min_available is None) != (self.max_unavailable is None),
        ),
    )
