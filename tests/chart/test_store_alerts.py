"""Given these series of a service whose pods share a store, exactly these of its alerts fire."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from tests.chart.test_service_alerts import HEALTHY, HOUR, PODS, SCRAPED, scraped
from tests.operator.samples import service
from tests.support.promtool import assert_fires, check
from whisper_operator.build.prometheus_rule import rules

SHARES_STORE = service(redis={"secretKeyRef": {"name": "store", "key": "url"}}, **SCRAPED)


def in_use(values: str, pod: str = PODS[0]) -> dict[str, str]:
    return scraped("whisper_store_in_use", values, pod)


def calls(answered: str, late: str) -> dict[str, str]:
    return scraped("whisper_store_duration_seconds_count", answered) | scraped("whisper_store_late_calls_total", late)


BUSY = HEALTHY | in_use(f"1x{HOUR}") | in_use(f"1x{HOUR}", PODS[1]) | calls(f"0+60x{HOUR}", f"0x{HOUR}")

FIRES = [
    pytest.param(in_use(f"1x10 0x{HOUR}", PODS[1]), 20, {"WhisperStoreNotUsed"}, id="one pod does without the store"),
    pytest.param(in_use(f"1x10 0x3 1x{HOUR}"), 30, set[str](), id="the store fails over"),
    pytest.param(calls(f"0+60x{HOUR}", f"0+6x{HOUR}"), 30, {"WhisperStoreSlow"}, id="one call of eleven is late"),
    pytest.param(calls(f"0x{HOUR}", f"0+1x{HOUR}"), 30, {"WhisperStoreSlow"}, id="each call is late"),
    pytest.param(calls(f"0+60x{HOUR}", f"0+2x{HOUR}"), 30, set[str](), id="one call of thirty is late"),
    pytest.param(calls(f"0x{HOUR}", f"0x10 1x{HOUR}"), 15, set[str](), id="the only call was late"),
    pytest.param(calls(f"0x{HOUR}", f"0x{HOUR}"), 30, set[str](), id="nobody calls"),
]


def test_a_service_whose_store_answers_is_silent(tmp_path: Path) -> None:
    assert_fires(rules(SHARES_STORE), BUSY, 45, set(), tmp_path)


@pytest.mark.parametrize(("series", "minutes", "alerts"), FIRES)
def test_what_fires(series: dict[str, str], minutes: int, alerts: set[str], tmp_path: Path) -> None:
    assert_fires(rules(SHARES_STORE), BUSY | series, minutes, alerts, tmp_path)


def test_every_alert_of_the_store_has_its_row() -> None:
    fired = {name for row in FIRES for name in cast(set[str], row.values[2])}
    without = {rule["alert"] for rule in rules(service(**SCRAPED))}
    assert fired == {rule["alert"] for rule in rules(SHARES_STORE)} - without


def test_promtool_parses_them(tmp_path: Path) -> None:
    check(rules(SHARES_STORE), tmp_path)
