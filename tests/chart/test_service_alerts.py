"""Given these series of a service, exactly these of its alerts fire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.operator.samples import service
from tests.support.promtool import assert_fires, check
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.build.prometheus_rule import rules

SCRAPED: dict[str, Any] = {"monitoring": {"serviceMonitor": {}, "alerts": {}}}
PODS = ("speech-6d4cf56db6-aaaaa", "speech-6d4cf56db6-bbbbb")
HOUR = 60
"""Minutes that every series lasts."""


def scraped(name: str, values: str, pod: str = PODS[0], **labels: str) -> dict[str, str]:
    """A series as a ServiceMonitor labels it, of the WhisperService team/speech."""
    found = {"namespace": "team", "service": "speech-metrics", "pod": pod, **labels}
    matchers = ",".join(f'{key}="{value}"' for key, value in found.items())
    return {f"{name}{{{matchers}}}": values}


def requests(status: int, values: str) -> dict[str, str]:
    return scraped("whisper_requests_total", values, route="/transcribe", status=str(status))


def durations(within: dict[str, str]) -> dict[str, str]:
    """Cumulative buckets of the transcriptions' seconds, by their upper bounds."""
    found: dict[str, str] = {}
    for bound, values in within.items():
        found |= scraped("whisper_transcription_duration_seconds_bucket", values, le=bound)
    return found


def restarts(values: str, pod: str = PODS[0]) -> dict[str, str]:
    labels = f'namespace="team",pod="{pod}",container="server",uid="1"'
    return {f"kube_pod_container_status_restarts_total{{{labels}}}": values}


def of_each_pod(name: str, values: str) -> dict[str, str]:
    return scraped(name, values, PODS[0]) | scraped(name, values, PODS[1])


HEALTHY = {
    **of_each_pod("up", f"1x{HOUR}"),
    **of_each_pod("whisper_ready", f"1x{HOUR}"),
    **of_each_pod("whisper_model_load_seconds", f"20x{HOUR}"),
    **of_each_pod("whisper_queued_audio_seconds", f"60x{HOUR}"),
    **of_each_pod("whisper_realtime_factor", f"20x{HOUR}"),
    **requests(200, f"0+60x{HOUR}"),
    **requests(400, f"0+60x{HOUR}"),
    **durations({"10": f"0+58x{HOUR}", "30": f"0+60x{HOUR}", "600": f"0+60x{HOUR}", "+Inf": f"0+60x{HOUR}"}),
    **restarts(f"1x{HOUR}"),
}

GONE = dict.fromkeys(HEALTHY, "1x5 stale")

FIRES = [
    pytest.param(GONE, 12, {"WhisperServiceDown"}, id="no pod is left"),
    pytest.param(of_each_pod("whisper_ready", f"0x{HOUR}"), 6, {"WhisperServiceDown"}, id="no pod has become ready"),
    pytest.param(of_each_pod("whisper_ready", f"0x{HOUR}"), 4, set[str](), id="too early to tell"),
    pytest.param(
        scraped("whisper_ready", f"0x{HOUR}"), 16, {"WhisperReplicaNotReady"}, id="one of two pods is not ready"
    ),
    pytest.param(scraped("whisper_ready", f"1x5 0x10 1x{HOUR}"), 25, set[str](), id="a pod drains for ten minutes"),
    pytest.param(
        scraped("up", f"0x{HOUR}") | scraped("whisper_ready", f"_x{HOUR}"),
        16,
        {"WhisperReplicaNotReady"},
        id="one of two pods does not answer",
    ),
    pytest.param(restarts(f"1x20 2x5 3x5 4x{HOUR}"), 40, {"WhisperReplicaRestarting"}, id="a pod crashes"),
    pytest.param(restarts(f"1x20 2x{HOUR}"), 40, set[str](), id="a pod restarted once"),
    pytest.param(
        restarts(f"1x20 9x{HOUR}", pod="speech-eu-6d4cf56db6-aaaaa"), 40, set[str](), id="another service's pod crashes"
    ),
    pytest.param(requests(500, f"0+6x{HOUR}"), 16, {"WhisperRequestsFailing"}, id="one request in eleven fails"),
    pytest.param(requests(504, f"0+6x{HOUR}"), 16, {"WhisperRequestsFailing"}, id="requests run out of time"),
    pytest.param(requests(502, f"0+6x{HOUR}"), 16, set[str](), id="servers fail that clients named"),
    pytest.param(requests(500, f"0+1x{HOUR}"), 16, set[str](), id="one request in sixty fails"),
    pytest.param(
        requests(200, f"0x{HOUR}") | requests(500, f"0x10 1x{HOUR}"), 20, set[str](), id="the only request fails"
    ),
    pytest.param(requests(429, f"0+6x{HOUR}"), 22, {"WhisperRequestsRefused"}, id="queues are full"),
    pytest.param(requests(503, f"0+6x{HOUR}"), 22, {"WhisperRequestsRefused"}, id="pods come and go"),
    pytest.param(requests(401, f"0+600x{HOUR}"), 22, set[str](), id="a client has no key"),
    pytest.param(
        scraped("whisper_queued_audio_seconds", f"1500x{HOUR}") | scraped("whisper_realtime_factor", f"5x{HOUR}"),
        11,
        {"WhisperWaitTooLong"},
        id="300 s of work wait, and a request may take 300 s",
    ),
    pytest.param(scraped("whisper_queued_audio_seconds", f"1500x{HOUR}"), 11, set[str](), id="75 s of work wait"),
    pytest.param(
        durations({"10": f"0+10x{HOUR}", "30": f"0+10x{HOUR}", "600": f"0+60x{HOUR}", "+Inf": f"0+60x{HOUR}"}),
        22,
        {"WhisperRequestsSlow"},
        id="most requests take minutes",
    ),
    pytest.param(
        scraped("whisper_model_load_seconds", f"0x5 1000x{HOUR}"), 6, {"WhisperModelLoadSlow"}, id="a slow volume"
    ),
]


def test_a_healthy_service_is_silent(tmp_path: Path) -> None:
    assert_fires(rules(service(**SCRAPED)), HEALTHY, 45, set(), tmp_path)


@pytest.mark.parametrize(("series", "minutes", "alerts"), FIRES)
def test_what_fires(series: dict[str, str], minutes: int, alerts: set[str], tmp_path: Path) -> None:
    assert_fires(rules(service(**SCRAPED)), HEALTHY | series, minutes, alerts, tmp_path)


def test_every_alert_has_its_row() -> None:
    fired = {name for row in FIRES for name in row.values[2]}  # type: ignore[union-attr]
    assert fired == {rule["alert"] for rule in rules(service(**SCRAPED))}


def test_a_time_out_beyond_the_last_bucket_still_alerts(tmp_path: Path) -> None:
    never, always = f"0x{HOUR}", f"0+60x{HOUR}"
    slow = durations({"10": never, "30": never, "600": never, "+Inf": always})
    patient = service(server={"requestTimeout": "2h"}, **SCRAPED)
    assert_fires(rules(patient), HEALTHY | slow, 22, {"WhisperRequestsSlow"}, tmp_path)


@pytest.mark.parametrize(
    ("spec", "series"),
    [
        pytest.param({"suspend": True, **SCRAPED}, {}, id="suspended"),
        pytest.param({"replicas": 0, **SCRAPED}, {}, id="scaled to zero by hand"),
        pytest.param(
            {"autoscaling": {"minReplicas": 0, "keda": {"prometheusAddress": "http://prometheus:9090"}}, **SCRAPED},
            {},
            id="scaled to zero by KEDA",
        ),
        pytest.param({"monitoring": {"alerts": {}}}, {}, id="scraped by others, if at all"),
    ],
)
def test_no_pod_is_no_alarm_where_none_is_right(spec: dict[str, Any], series: dict[str, str], tmp_path: Path) -> None:
    assert_fires(rules(service(**spec)), series, 45, set(), tmp_path)


def test_a_pod_that_may_drain_for_longer_is_given_longer() -> None:
    for drain, lasting in (("1m", "15m"), ("1h", "65m")):
        found = rules(service(rollout={"drainTimeout": drain}, **SCRAPED))
        assert {rule["alert"]: rule["for"] for rule in found}["WhisperReplicaNotReady"] == lasting


@pytest.mark.parametrize("of", [service(**SCRAPED), service(suspend=True), service(autoscaling={})])
def test_promtool_parses_them(of: WhisperService, tmp_path: Path) -> None:
    check(rules(of), tmp_path)
    for rule in rules(of):
        assert rule["annotations"]["summary"].startswith("WhisperService team/speech: ")
