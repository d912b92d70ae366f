"""Queries of one WhisperService's series, which the dashboard's variables select."""

from __future__ import annotations

from typing import Final

from whisper_runtime.contract import metric_names

SERIES: Final = 'namespace="$namespace",service="${service}-metrics"'
FRONT: Final = 'namespace="$namespace",service="${service}-front-metrics"'
PODS: Final = 'namespace="$namespace",pod=~"${service}-[a-z0-9]+-[a-z0-9]{5}",container="server"'
ALERTS: Final = 'ALERTS{alertstate="firing",namespace="$namespace",whisperservice="$service"}'
WINDOW: Final = "[$__rate_interval]"


def rate(metric: str, matchers: str = "") -> str:
    return f"rate({metric}{{{SERIES}{matchers}}}{WINDOW})"


def share(statuses: str, of: str) -> str:
    """Query of the share of requests with `statuses` among those with `of`; 0 while there are none."""
    some, all_ = (f"sum({rate(metric_names.REQUESTS_METRIC, f',{matchers}')})" for matchers in (statuses, of))
    return f"({some} or vector(0)) / {all_}"


def quantile(of: float, metric: str) -> str:
    return f"histogram_quantile({of}, sum by (le) ({rate(f'{metric}_bucket')}))"


def gauge(metric: str) -> str:
    return f"{metric}{{{SERIES}}}"


def of_front(metric: str) -> str:
    return f"{metric}{{{FRONT}}}"


def rate_of_front(metric: str) -> str:
    return f"rate({of_front(metric)}{WINDOW})"


FAILED: Final = share('status=~"5..",status!="503"', 'status=~"2..|5.."')
REFUSED: Final = share('status=~"429|503"', 'status=~"2..|429|5.."')
BACKLOG: Final = f"{gauge(metric_names.QUEUED_AUDIO_METRIC)} / {gauge(metric_names.REALTIME_FACTOR_METRIC)}"
