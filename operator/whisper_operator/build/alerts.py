"""The alerts of one service: on each of them a person can act, and each has its page in docs/runbooks.

The restarts are kube-state-metrics'; without it that one alert is silent.
"""

from __future__ import annotations

from typing import Final

from whisper_operator.api.units import duration_seconds
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.build.alert import ERROR_SHARE, FEW, Alert
from whisper_operator.build.front_alerts import front_alerts
from whisper_operator.build.job_alerts import job_alerts
from whisper_operator.build.series import Series, series_of
from whisper_operator.build.server_pod import STARTUP_SECONDS
from whisper_operator.build.store_alerts import store_alerts
from whisper_runtime.contract.metric_names import (
    MODEL_LOAD_METRIC,
    QUEUED_AUDIO_METRIC,
    READY_METRIC,
    REALTIME_FACTOR_METRIC,
    REQUESTS_METRIC,
    TRANSCRIPTION_SECONDS_BUCKETS,
    TRANSCRIPTION_SECONDS_METRIC,
)

TIMEOUT_SHARE: Final = 0.8
"""The share of `requestTimeout` above which requests are about to be lost."""
STARTUP_SHARE: Final = 0.5
"""The share of the time after which the kubelet restarts a pod that does not start."""


def alerts(service: WhisperService) -> list[Alert]:
    """The alerts of one service; one that wants no pod is never down."""
    series = series_of(service)
    return [
        *([] if _is_off(service) else [_down(service, series)]),
        _replica_not_ready(service, series),
        _replica_restarting(service),
        _failing(series),
        _refused(series),
        _wait_too_long(service, series),
        _slow(service, series),
        _load_slow(series),
        *(job_alerts(series) if service.spec.jobs else []),
        *(store_alerts(series) if service.spec.redis else []),
        *(front_alerts(service, front) if (front := service.spec.wanted_front) else []),
    ]


def _down(service: WhisperService, series: Series) -> Alert:
    ready = f"sum({series.of(READY_METRIC)})"
    # Where no pod may be wanted, or others configure the scraping, a lack of series proves nothing.
    scaling, monitoring = service.spec.autoscaling, service.spec.monitoring
    says_nothing = monitoring.service_monitor is None or (scaling is not None and scaling.min_replicas == 0)
    return Alert(
        "WhisperServiceDown",
        "critical",
        "5m",
        f"{ready} == 0" if says_nothing else f"({ready} or vector(0)) == 0",
        "no replica is ready",
        "Clients get no transcription. `kubectl describe wsvc` names the cause: undo the last change of the spec, or"
        " give the pods what they lack.",
    )


def _replica_not_ready(service: WhisperService, series: Series) -> Alert:
    drain = duration_seconds(service.spec.rollout.drain_timeout)
    return Alert(
        "WhisperReplicaNotReady",
        "warning",
        f"{max(15, drain // 60 + 5)}m",  # a pod that leaves takes no requests either, for as long as it drains
        f"{series.of(READY_METRIC)} == 0 or {series.of('up')} == 0",
        "pod {{ $labels.pod }} takes no requests",
        "The service has less capacity than it should. Look at the pod's log and events; delete the pod if it hangs.",
    )


def _replica_restarting(service: WhisperService) -> Alert:
    name, namespace = service.metadata.name, service.metadata.namespace
    series = f'namespace="{namespace}",pod=~"{name}-[a-z0-9]+-[a-z0-9]{{5}}",container="server"'
    return Alert(
        "WhisperReplicaRestarting",
        "warning",
        "0m",
        f"increase(kube_pod_container_status_restarts_total{{{series}}}[1h]) > {FEW}",
        "pod {{ $labels.pod }} restarted {{ $value | humanize }} times within an hour",
        "Each restart loses the requests in progress. Read why the last container ended: out of memory wants"
        " spec.resources.limits.memory raised, a failed probe wants the log.",
    )


def _failing(series: Series) -> Alert:
    # 502 is the failure of a server that a client named by `url`: nobody here can mend it.
    failed = series.of(REQUESTS_METRIC, 'status=~"5..",status!~"502|503"')
    answered = series.of(REQUESTS_METRIC, 'status=~"2..|5.."')
    return Alert(
        "WhisperRequestsFailing",
        "critical",
        "5m",
        f"sum(rate({failed}[10m])) / sum(rate({answered}[10m])) > {ERROR_SHARE}"
        f" and sum(increase({failed}[10m])) > {FEW}",
        "{{ $value | humanizePercentage }} of the requests end in a server error",
        "504 are requests that ran out of time: add replicas, or a GPU. 500 are faults: the log has each with its"
        " request's id; go back to the last image that worked.",
    )


def _refused(series: Series) -> Alert:
    refused = series.of(REQUESTS_METRIC, 'status=~"429|503"')
    asked = series.of(REQUESTS_METRIC, 'status=~"2..|429|5.."')
    return Alert(
        "WhisperRequestsRefused",
        "warning",
        "10m",
        f"sum(rate({refused}[10m])) / sum(rate({asked}[10m])) > {ERROR_SHARE}"
        f" and sum(increase({refused}[10m])) > {FEW}",
        "{{ $value | humanizePercentage }} of the requests are refused",
        "The queues are full, or pods come and go. Raise spec.replicas or spec.autoscaling.maxReplicas.",
    )


def _wait_too_long(service: WhisperService, series: Series) -> Alert:
    queued, speed = series.of(QUEUED_AUDIO_METRIC), series.of(REALTIME_FACTOR_METRIC)
    return Alert(
        "WhisperWaitTooLong",
        "warning",
        "10m",
        f"max({queued} / {speed}) > {_timeout(service)}",
        "a pod needs {{ $value | humanizeDuration }} to work off what waits in it",
        "Requests will run out of time before their turn is over. Raise spec.replicas or"
        " spec.autoscaling.maxReplicas, or lower spec.server.maxQueuedAudio so that clients are told at once.",
    )


def _slow(service: WhisperService, series: Series) -> Alert:
    buckets = f"sum by (le) (rate({series.of(f'{TRANSCRIPTION_SECONDS_METRIC}_bucket')}[10m]))"
    return Alert(
        "WhisperRequestsSlow",
        "warning",
        "10m",
        # No quantile is larger than the last bucket's bound.
        f"histogram_quantile(0.95, {buckets}) > {min(_timeout(service), TRANSCRIPTION_SECONDS_BUCKETS[-2])}",
        "one request in twenty takes longer than {{ $value | humanizeDuration }}",
        "That is close to spec.server.requestTimeout, where requests are lost. Raise it, send shorter recordings,"
        " or add replicas or a GPU.",
    )


def _load_slow(series: Series) -> Alert:
    return Alert(
        "WhisperModelLoadSlow",
        "warning",
        "0m",
        f"max({series.of(MODEL_LOAD_METRIC)}) > {int(STARTUP_SECONDS * STARTUP_SHARE)}",
        "a pod needed {{ $value | humanizeDuration }} to become ready",
        f"New pods come that late, and after {STARTUP_SECONDS // 60} minutes the kubelet gives a starting pod up."
        " Give the cache a faster storage class, or bake the model into the image.",
    )


def _is_off(service: WhisperService) -> bool:
    """Whether the spec wants no pod."""
    return service.spec.suspend or (service.spec.autoscaling is None and service.spec.replicas == 0)


def _timeout(service: WhisperService) -> int:
    return int(duration_seconds(service.spec.server.request_timeout) * TIMEOUT_SHARE)
