"""The PrometheusRule: alerts on which a person can act, each with its page in docs/runbook.md.

The series carry the labels that a ServiceMonitor gives them: `namespace`, and `service`, the metrics Service's name.
"""

from __future__ import annotations

from typing import Final

from whisper_operator import names
from whisper_operator.api.units import duration_seconds
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.meta import child, sealed
from whisper_operator.env import Env
from whisper_operator.kinds import PROMETHEUS_RULE
from whisper_operator.observed import Observed
from whisper_runtime.contract import QUEUED_AUDIO_METRIC, REQUESTS_METRIC, TRANSCRIPTION_SECONDS_METRIC

RUNBOOK: Final = "https://github.com/whisper-operator/whisper-operator/blob/main/docs/runbook.md#"
QUEUE_SHARE: Final = 0.8
"""Of `maxQueuedAudio`: above it, clients are about to be refused."""
DURATION_SHARE: Final = 0.8
"""Of `requestTimeout`."""


def build(service: WhisperService, observed: Observed, env: Env) -> Manifest | None:
    wanted = service.spec.monitoring.alerts
    if wanted is None or PROMETHEUS_RULE not in env.kinds:
        return None
    name = service.metadata.name
    manifest = child(
        service, PROMETHEUS_RULE, name, spec={"groups": [{"name": f"whisper-{name}", "rules": rules(service)}]}
    )
    manifest["metadata"]["labels"] = {**wanted.labels, **manifest["metadata"]["labels"]}
    return sealed(manifest)


def rules(service: WhisperService) -> list[Manifest]:
    """The alerts of one service; a suspended one has none that speak of its absence."""
    absent = [] if service.spec.suspend else [_down(service)]
    return [*absent, _replica_down(service), _failing(service), _refusing(service), _full(service), _slow(service)]


def _down(service: WhisperService) -> Manifest:
    return _alert(
        service,
        "WhisperServiceDown",
        "critical",
        "5m",
        f"(sum(up{{{_series(service)}}}) or vector(0)) == 0",
        "No replica answers: clients get no transcription.",
    )


def _replica_down(service: WhisperService) -> Manifest:
    return _alert(
        service,
        "WhisperReplicaDown",
        "warning",
        "15m",
        f"up{{{_series(service)}}} == 0",
        "Replica {{ $labels.pod }} has not answered Prometheus for 15 minutes.",
    )


def _failing(service: WhisperService) -> Manifest:
    failed, all_ = _requests(service, 'status=~"5..",status!="503"'), _requests(service, "")
    return _alert(
        service,
        "WhisperRequestsFailing",
        "critical",
        "10m",
        f"{failed} / {all_} > 0.05",
        "{{ $value | humanizePercentage }} of the requests end in a server error.",
    )


def _refusing(service: WhisperService) -> Manifest:
    refused, all_ = _requests(service, 'status=~"429|503"'), _requests(service, "")
    return _alert(
        service,
        "WhisperRequestsRefused",
        "warning",
        "15m",
        f"{refused} / {all_} > 0.05",
        "{{ $value | humanizePercentage }} of the requests are refused for want of capacity.",
    )


def _full(service: WhisperService) -> Manifest:
    limit = int(duration_seconds(service.spec.server.max_queued_audio) * QUEUE_SHARE)
    return _alert(
        service,
        "WhisperQueueFilling",
        "warning",
        "10m",
        f"max({QUEUED_AUDIO_METRIC}{{{_series(service)}}}) > {limit}",
        "A replica has {{ $value | humanizeDuration }} of audio waiting, and soon refuses more.",
    )


def _slow(service: WhisperService) -> Manifest:
    limit = int(duration_seconds(service.spec.server.request_timeout) * DURATION_SHARE)
    buckets = f"sum by (le) (rate({TRANSCRIPTION_SECONDS_METRIC}_bucket{{{_series(service)}}}[10m]))"
    return _alert(
        service,
        "WhisperRequestsSlow",
        "warning",
        "10m",
        f"histogram_quantile(0.95, {buckets}) > {limit}",
        "One request in twenty takes longer than {{ $value | humanizeDuration }}, close to its time-out.",
    )


def _alert(service: WhisperService, name: str, severity: str, lasting: str, expression: str, summary: str) -> Manifest:
    return {
        "alert": name,
        "expr": expression,
        "for": lasting,
        "labels": {
            "severity": severity,
            "namespace": service.metadata.namespace,
            "whisperservice": service.metadata.name,
        },
        "annotations": {"summary": summary, "runbook_url": RUNBOOK + name.lower()},
    }


def _series(service: WhisperService) -> str:
    return f'namespace="{service.metadata.namespace}",service="{names.metrics_service(service.metadata.name)}"'


def _requests(service: WhisperService, which: str) -> str:
    series = ",".join(filter(None, (_series(service), which)))
    return f"sum(rate({REQUESTS_METRIC}{{{series}}}[10m]))"
