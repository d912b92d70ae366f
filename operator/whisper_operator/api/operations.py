"""The parts of the spec that keep the service running: autoscaling, monitoring, verification, logs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from whisper_operator.api.base import Duration, KeyRef, Opaque, Part, Rule, text
from whisper_operator.api.maps import Labels

Percent = Annotated[int, Field(ge=1, le=1000)]


class Keda(Part):
    polling_interval: Annotated[int, Field(ge=1, le=86400)] | None = None
    """Seconds between KEDA's looks at the metric."""
    cooldown_period: Annotated[int, Field(ge=0, le=86400)] | None = None
    """Seconds of rest before KEDA scales to zero."""
    prometheus_address: (
        Annotated[
            str,
            *text("^https?://[!-~]+$", "is no URL: write it like http://prometheus.monitoring:9090", longest=2048),
        ]
        | None
    ) = None
    """URL of the Prometheus that KEDA asks."""


class Autoscaling(Part):
    min_replicas: Annotated[int, Field(ge=0, le=1000)] = 2
    """Fewest pods; 0 needs `keda`, and somebody who scales the service up again: without a pod nothing is measured."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)] = 10
    """Most pods."""
    cpu: Percent = 70
    """Target of the pods' CPU, in percent of their request."""
    memory: Percent = 80
    """Target of the pods' memory, in percent of their request."""
    queued_audio_seconds: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Target of the audio that waits in each pod, in seconds; needs a custom metrics API."""
    behavior: Opaque | None = None
    """Scaling behavior, as in a HorizontalPodAutoscaler."""
    keda: Keda | None = None
    """A KEDA ScaledObject instead of a HorizontalPodAutoscaler."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.minReplicas <= self.maxReplicas",
            "spec.autoscaling.minReplicas is larger than maxReplicas: lower minReplicas or raise maxReplicas",
            lambda self: self.min_replicas <= self.max_replicas,
        ),
        Rule(
            "self.minReplicas > 0 || has(self.keda)",
            "spec.autoscaling.minReplicas is 0, which only KEDA can do: write 1 or more, or add spec.autoscaling.keda",
            lambda self: self.min_replicas > 0 or self.keda is not None,
        ),
    )


class ServiceMonitor(Part):
    interval: Duration = "30s"
    """Time between two scrapes."""
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels by which your Prometheus selects ServiceMonitors."""


class Alerts(Part):
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels by which your Prometheus selects PrometheusRules."""


class Monitoring(Part):
    service_monitor: ServiceMonitor | None = None
    """A ServiceMonitor for the Prometheus operator, where the cluster has its API."""
    alerts: Alerts | None = None
    """A PrometheusRule with alerts, where the cluster has its API."""


class VerificationAudio(Part):
    config_map_key_ref: KeyRef
    """ConfigMap and key of the recording."""


class VerificationExpect(Part):
    text: Annotated[str, Field(min_length=1, max_length=4096)]
    """The words that are spoken."""
    max_word_error_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the words that may come out wrong."""


class Verification(Part):
    enabled: bool = True
    """Whether real requests prove a rollout."""
    audio: VerificationAudio | None = None
    """A recording of yours that every pod has to hear right before it serves: WAV, 16-bit, mono, 16 kHz, at most
    1 MiB. Absent: the image's own."""
    expect: VerificationExpect | None = None
    """The words of your recording."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.audio) == has(self.expect)",
            "spec.verification.audio and spec.verification.expect belong together: add the other one, or remove both",
            lambda self: (self.audio is None) == (self.expect is None),
        ),
    )


class Logging(Part):
    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe messages that are logged."""
    format: Literal["json", "text"] = "json"
    """One JSON object a line, or text for people."""
