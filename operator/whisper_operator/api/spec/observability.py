"""The spec's parts about evidence: metrics and alerts, the verification of rollouts, and logs."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, at_most
from whisper_operator.api.languages import LanguageWord
from whisper_operator.api.maps import Labels
from whisper_operator.api.scalars import Duration, KeyRef, Opaque
from whisper_operator.api.spec.jobs import JobResourcesSpec
from whisper_operator.api.units import duration_seconds

_PROMETHEUS_LABEL: Final = "^[a-zA-Z][a-zA-Z0-9_]*$"


class ServiceMonitorSpec(ApiModel):
    interval: Duration = "30s"
    """Time between two scrapes."""
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels by which your Prometheus selects ServiceMonitors."""
    scrape_timeout: Duration | None = None
    """Maximum time of a scrape; at most the interval. Absent: Prometheus' own."""
    relabelings: Annotated[tuple[Opaque, ...], *at_most(32)] = ()
    """Changes to the labels of the pods, as in a ServiceMonitor, before they are scraped."""
    metric_relabelings: Annotated[tuple[Opaque, ...], *at_most(32)] = ()
    """Changes to the series, as in a ServiceMonitor, before they are stored."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.scrapeTimeout) || duration(self.scrapeTimeout) <= duration(self.interval)",
            "spec.monitoring.serviceMonitor.scrapeTimeout is longer than interval, which Prometheus refuses: lower the "
            "one or raise the other",
            lambda self: (
                self.scrape_timeout is None or duration_seconds(self.scrape_timeout) <= duration_seconds(self.interval)
            ),
        ),
    )


class AlertsSpec(ApiModel):
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels by which your Prometheus selects PrometheusRules."""
    alert_labels: Labels = Field(default_factory=dict[str, str])
    """Labels of each alert, by which Alertmanager routes it, such as team."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!has(self.alertLabels) || self.alertLabels.all(key, key.matches('{_PROMETHEUS_LABEL}'))",
            "spec.monitoring.alerts.alertLabels has a name that Prometheus does not take: use letters, digits and '_', "
            "for example team",
            lambda self: all(re.match(_PROMETHEUS_LABEL, key) for key in self.alert_labels),
        ),
    )


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
    language: LanguageWord | None = None
    """Language of the recording, as a code or a name like `spec.language`. Absent: `spec.language`, or en where that
    is auto."""
    max_word_error_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the words that may be transcribed wrongly."""


class VerificationSpec(ApiModel):
    enabled: bool = True
    """Whether real requests verify each rollout."""
    audio: VerificationAudioSpec | None = None
    """A recording of yours that each pod must transcribe correctly before it serves: WAV, 16-bit, mono, 16 kHz, at
    most 1 MiB. Absent: the runtime's own."""
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
