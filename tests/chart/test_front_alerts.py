"""Given these series of a service with a front, exactly these of its alerts fire."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from tests.chart.test_service_alerts import HEALTHY, HOUR, SCRAPED
from tests.operator.samples import service
from tests.support.promtool import assert_fires, check
from whisper_operator.build.prometheus_rule import rules

FRONTED = service(front={"spool": "1000"}, server={"requestTimeout": "300s"}, **SCRAPED)
PODS = ("speech-front-5d9c8b7d6-aaaaa", "speech-front-5d9c8b7d6-bbbbb")


def at_front(name: str, values: str, pod: str = PODS[0], **labels: str) -> dict[str, str]:
    """A series as a ServiceMonitor labels it, of the front of the WhisperService team/speech."""
    found = {"namespace": "team", "service": "speech-front-metrics", "pod": pod, **labels}
    matchers = ",".join(f'{key}="{value}"' for key, value in found.items())
    return {f"{name}{{{matchers}}}": values}


def held(values: str, pod: str = PODS[0]) -> dict[str, str]:
    return at_front("whisper_front_held_requests", values, pod)


def rejected(cause: str, values: str) -> dict[str, str]:
    return at_front("whisper_front_rejections_total", values, cause=cause)


def retried(cause: str, values: str) -> dict[str, str]:
    return at_front("whisper_front_retry_total", values, cause=cause)


QUIET = HEALTHY | {
    **at_front("up", f"1x{HOUR}"),
    **held(f"0x{HOUR}"),
    **held(f"0x{HOUR}", PODS[1]),
    **at_front("whisper_front_spool_bytes", f"100x{HOUR}"),
    **at_front("whisper_front_spool_bytes", f"100x{HOUR}", PODS[1]),
    **rejected("rate_limit_exceeded", f"0+10x{HOUR}"),
    **rejected("no_server", f"0x{HOUR}"),
    **rejected("no_server_can_come", f"0x{HOUR}"),
    **rejected("no_server_in_time", f"0x{HOUR}"),
    **retried("lost", f"0x{HOUR}"),
    **retried("refused", f"0+10x{HOUR}"),
}

FIRES = [
    pytest.param(held(f"3x{HOUR}"), 4, {"WhisperRequestsHeld"}, id="requests wait all the time"),
    pytest.param(
        held(f"0x9 2 0 2 0x{HOUR}") | held(f"0x10 1 0 1 0x{HOUR}", PODS[1]),
        13,
        {"WhisperRequestsHeld"},
        id="at one or the other",
    ),
    pytest.param(held(f"0x8 9 0x{HOUR}"), 9, set[str](), id="requests wait for a first pod"),
    pytest.param(
        at_front("whisper_front_spool_bytes", f"851x{HOUR}", PODS[1]),
        10,
        {"WhisperFrontSpoolNearlyFull"},
        id="one disk is full",
    ),
    pytest.param(rejected("no_server_can_come", f"0x20 3x{HOUR}"), 25, {"WhisperWakesFailing"}, id="no pod can come"),
    pytest.param(rejected("no_server", f"0x20 3x{HOUR}"), 25, {"WhisperWakesFailing"}, id="no pod came in time"),
    pytest.param(rejected("no_server", f"0x20 1x{HOUR}"), 25, set[str](), id="one request waited in vain"),
    pytest.param(rejected("no_server_can_come", f"0x20 9x{HOUR}"), 45, set[str](), id="that was a while ago"),
    pytest.param(rejected("no_server_in_time", f"0x20 3x{HOUR}"), 25, {"WhisperWakesSlow"}, id="a wake takes too long"),
    pytest.param(retried("lost", f"0x20 4x{HOUR}"), 25, {"WhisperServersLost"}, id="a pod is lost with four requests"),
    pytest.param(retried("lost", f"0x20 1x{HOUR}"), 25, set[str](), id="a pod is lost with one"),
]


def test_a_service_whose_front_has_little_to_do_is_silent(tmp_path: Path) -> None:
    assert_fires(rules(FRONTED), QUIET, 45, set(), tmp_path)


@pytest.mark.parametrize(("series", "minutes", "alerts"), FIRES)
def test_what_fires(series: dict[str, str], minutes: int, alerts: set[str], tmp_path: Path) -> None:
    assert_fires(rules(FRONTED), QUIET | series, minutes, alerts, tmp_path)


def test_every_alert_of_a_front_has_its_row() -> None:
    fired = {name for row in FIRES for name in cast(set[str], row.values[2])}
    without = {rule["alert"] for rule in rules(service(**SCRAPED))}
    assert fired == {rule["alert"] for rule in rules(FRONTED)} - without


def test_promtool_parses_them(tmp_path: Path) -> None:
    check(rules(FRONTED), tmp_path)
