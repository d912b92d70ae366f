"""The spec's parts about evidence: metrics and alerts, the verification of rollouts, and logs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, text
from whisper_operator.api.maps import Labels
from whisper_operator.api.scalars import Duration, KeyRef, Opaque
from whisper_operator.api.spec.jobs import JobResourcesSpec


class ServiceMonitorSpec(ApiModel):
    interval: Duration = "30s"
    """Time between two scrapes."""
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels by which your Prometheus selects ServiceMonitors."""


class AlertsSpec(ApiModel):
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels by which your Prometheus selects PrometheusRules."""


class MonitoringSpec(ApiModel):
    service_monitor: ServiceMonitorSpec | None = None
    """Create a ServiceMonitor for the Prometheus operator, if the cluster serves its API."""
    alerts: AlertsSpec | None = None
    """Create a PrometheusRule with alerts, if the cluster serves its API."""


class VerificationAudioSpec(ApiModel):
    config_map_key_ref: KeyRef
    """ConfigMap and key of the recording."""


class VerificationExpectSpec(ApiModel):
    text: Annotated[str, Field(min_length=1, max_length=4096)]
    """Words that are spoken in the recording."""
    language: (
        Annotated[str, *text("^[a-z]{2,3}$", "is not a valid language; write an ISO 639-1 code such as en", longest=64)]
        | None
    ) = None
    """Language of the recording, as ISO 639-1 code. Absent: `spec.language`, or en where that is auto."""
    max_word_error_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the words that may be transcribed wrongly."""


class VerificationSpec(ApiModel):
    enabled: bool = True
    """Whether real requests verify each rollout."""
    audio: VerificationAudioSpec | None = None
    """A recording of yours that each pod must transcribe correctly before it serves: WAV, 16-bit, mono, 16 kHz, at
    most 1 MiB. Absent: the image's own."""
    expect: VerificationExpectSpec | None = None
    """Expected text of your recording."""
    resources: JobResourcesSpec | None = None
    """Resources of the container that sends the requests."""
    pod_template: Opaque | None = None
    """Strategic merge patch for the template of the Job's pod, whose container is `verify`; it takes precedence."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.audio) == has(self.expect)",
            "spec.verification.audio and spec.verification.expect need each other: add the missing one, or remove both",
            lambda self: (self.audio is None) == (self.expect is None),
        ),
    )


class LoggingSpec(ApiModel):
    level: Literal["debug", "info", "warning", "error"] = "info"
    """Minimum severity of the messages that are logged."""
    format: Literal["json", "text"] = "json"
    """Format of a line: json for one object a line, text for human readers."""
