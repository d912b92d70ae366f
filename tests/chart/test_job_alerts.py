"""Given these series of a service that keeps jobs, exactly these of its alerts fire."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from tests.chart.test_service_alerts import HEALTHY, HOUR, PODS, SCRAPED, scraped
from tests.operator.samples import service
from tests.support.promtool import assert_fires, check
from whisper_operator.build.prometheus_rule import rules

KEEPS_JOBS = service(jobs={}, **SCRAPED)


def jobs(state: str, values: str) -> dict[str, str]:
    return scraped("whisper_jobs", values, state=state)


def attempts(outcome: str, values: str, pod: str = PODS[0]) -> dict[str, str]:
    return scraped("whisper_job_attempts_total", values, pod, outcome=outcome)


def deliveries(outcome: str, values: str) -> dict[str, str]:
    return scraped("whisper_webhook_deliveries_total", values, outcome=outcome)


def progress(values: str) -> dict[str, str]:
    return scraped("whisper_job_progress_seconds_total", values)


BUSY = HEALTHY | {
    **jobs("queued", f"40x{HOUR}"),
    **jobs("in_progress", f"2x{HOUR}"),
    **scraped("whisper_jobs_oldest_seconds", f"3600x{HOUR}"),
    **attempts("completed", f"0+1x{HOUR}"),
    **attempts("failed", f"0x{HOUR}"),
    **attempts("lease_lost", f"0x{HOUR}"),
    **attempts("handed_back", f"0x{HOUR}"),
    **progress(f"0+600x{HOUR}"),
    **deliveries("delivered", f"0+2x{HOUR}"),
    **deliveries("failed", f"0+1x{HOUR}"),
    **deliveries("abandoned", f"0x{HOUR}"),
    **scraped("whisper_jobs_store_bytes", f"5e9x{HOUR}"),
    **scraped("whisper_jobs_store_limit_bytes", f"9e9x{HOUR}"),
}
IDLE = jobs("queued", f"0x{HOUR}") | jobs("in_progress", f"0x{HOUR}")
STILL = progress(f"0+600x10 6000x{HOUR}") | attempts("completed", f"0+1x10 10x{HOUR}")

FIRES = [
    pytest.param(
        scraped("whisper_jobs_oldest_seconds", f"21500+60x{HOUR}"),
        15,
        {"WhisperJobsWaitTooLong"},
        id="a job has waited for more than six hours",
    ),
    pytest.param(STILL, 45, {"WhisperJobsStuck"}, id="jobs wait, and none goes on"),
    pytest.param(STILL, 30, set[str](), id="too early to tell whether jobs go on"),
    pytest.param(
        STILL | jobs("queued", f"0x{HOUR}"), 45, {"WhisperJobsStuck"}, id="the only job runs, and does not go on"
    ),
    pytest.param(STILL | IDLE, 45, set[str](), id="no job is there"),
    pytest.param(
        attempts("completed", f"0x{HOUR}"), 45, set[str](), id="a long recording goes on, and no attempt ends"
    ),
    pytest.param(progress(f"0x{HOUR}"), 45, set[str](), id="recordings without speech end"),
    pytest.param(
        IDLE | STILL | jobs("queued", f"0x45 1x{HOUR}"), 55, set[str](), id="the first job after an hour of rest"
    ),
    pytest.param(attempts("failed", f"0+1x{HOUR}"), 50, {"WhisperJobsFailing"}, id="every other attempt fails"),
    pytest.param(attempts("lease_lost", f"0x20 1 2 3 4x{HOUR}"), 50, {"WhisperJobsFailing"}, id="the process dies"),
    pytest.param(attempts("failed", f"0x20 1x{HOUR}"), 50, set[str](), id="one recording fails"),
    pytest.param(
        attempts("failed", f"0x10 1 2 3x{HOUR}") | attempts("completed", f"0+2x{HOUR}"),
        50,
        set[str](),
        id="three of a hundred attempts fail",
    ),
    pytest.param(attempts("handed_back", f"0+1x{HOUR}"), 50, set[str](), id="jobs are handed back"),
    pytest.param(deliveries("delivered", f"0x{HOUR}"), 40, {"WhisperWebhooksFailing"}, id="no event arrives"),
    pytest.param(deliveries("abandoned", f"0+2x{HOUR}"), 40, {"WhisperWebhooksFailing"}, id="most events are given up"),
    pytest.param(
        deliveries("delivered", f"0x{HOUR}") | deliveries("failed", f"0x20 1x{HOUR}"),
        40,
        set[str](),
        id="the only event did not arrive at once",
    ),
    pytest.param(
        scraped("whisper_jobs_store_bytes", f"8e9x{HOUR}"), 20, {"WhisperJobStoreNearlyFull"}, id="8 of 9 GB are used"
    ),
]


def test_a_service_whose_jobs_go_on_is_silent(tmp_path: Path) -> None:
    assert_fires(rules(KEEPS_JOBS), BUSY, 45, set(), tmp_path)


@pytest.mark.parametrize(("series", "minutes", "alerts"), FIRES)
def test_what_fires(series: dict[str, str], minutes: int, alerts: set[str], tmp_path: Path) -> None:
    assert_fires(rules(KEEPS_JOBS), BUSY | series, minutes, alerts, tmp_path)


def test_every_alert_of_jobs_has_its_row() -> None:
    fired = {name for row in FIRES for name in cast(set[str], row.values[2])}
    without = {rule["alert"] for rule in rules(service(**SCRAPED))}
    assert fired == {rule["alert"] for rule in rules(KEEPS_JOBS)} - without


def test_promtool_parses_them(tmp_path: Path) -> None:
    check(rules(KEEPS_JOBS), tmp_path)
