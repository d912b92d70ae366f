"""The report says what was done, what clients got, and what was not as it should be."""

from __future__ import annotations

import datetime
from collections import Counter

from chaos.fleet.fleet_report import markdown
from chaos.fleet.fleet_rounds import FleetReport
from chaos.fleet.ledger import BrokenRequest, ClientLedger, InjectedFault

LEDGER = ClientLedger(
    answered=Counter(whole=2, job=1),
    waits={"whole": [1.0, 3.0], "job": [9.0]},
    refused=Counter({"503 no_server": 4}),
    broken=[BrokenRequest("whole", 0.0, 1.0, "ReadError")],
)
REPORT = FleetReport(
    7, [InjectedFault("a front killed", frozenset({"whole"}), 0.0, 1.0)], LEDGER, Counter({1: 1}), 120.0
)


def written(report: FleetReport) -> str:
    return markdown(report, "python -m chaos fleet", datetime.date(2026, 1, 1), 3.2)


def test_it_counts_faults_texts_refusals_and_broken_connections() -> None:
    found = written(REPORT)
    assert "1 faults in 2 minutes. All of it was as it should be." in found
    assert "| a front killed | 1 |" in found
    assert "| one answer | 2 | 2.0 | 3.0 | 1 |" in found
    assert "| a stream of events | 0 | 0.0 | 0.0 | 0 |" in found
    assert "| 503 no_server | 4 |" in found
    assert "Jobs ended: 1 in attempt 1." in found


def test_a_problem_is_told_first() -> None:
    found = written(FleetReport(7, problems=["a job is lost"]))
    assert "**a job is lost**" in found
    assert "as it should be" not in found.partition("| fault |")[0].partition("faults in")[2]
