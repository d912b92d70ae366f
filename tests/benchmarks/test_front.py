"""What a front costs, in short; `python -m benchmarks.front` runs the long form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.front import measure
from benchmarks.front.measure import KeptThroughput, Overhead, RequestRate
from benchmarks.front.report import FrontReport, text

GOOD = FrontReport(
    starts=[0.5, 0.6, 0.7],
    overhead={20: Overhead(direct=(3.0, 4.0), by_front=(5.0, 7.0))},
    refusals=RequestRate(900.0, 1500.0),
    kept=KeptThroughput(RequestRate(200.0, 400.0), share=0.999, mib=90.0),
    idle_mib=80.0,
    uploads=500,
    upload_bytes=400_000,
    mib=150.0,
    seen=[0.1, 0.2],
)


def test_the_report_shows_what_was_found_beside_the_goals() -> None:
    assert GOOD.problems == []
    assert (
        "| 20 bytes by the front, beyond the 3.5 (3.0 to 4.0) ms of the server itself | 2.5 (2.0 to 3.0) ms | 8 ms |"
        in text(GOOD)
    )


def test_each_goal_that_is_missed_is_a_problem() -> None:
    bad = replace(
        GOOD,
        starts=[2.0],
        overhead={20: Overhead((1.0,), (10.0,))},
        refusals=RequestRate(1000.0, 200.0),
        kept=KeptThroughput(RequestRate(1000.0, 299.0), share=1.0, mib=101.0),
        idle_mib=101.0,
        mib=201.0,
        seen=[0.5],
    )
    assert len(bad.problems) == 8


def test_no_rate_of_kept_answers_is_reported_where_servers_gave_some_of_them() -> None:
    """As where the store looked away to the front: it measures something else then, fast or slow."""
    for answers in (RequestRate(200.0, 400.0), RequestRate(200.0, 200.0)):
        found = replace(GOOD, kept=KeptThroughput(answers, share=0.12, mib=90.0))
        assert found.problems == ["the front answered 12.0% of what is kept: no rate"]
        assert "answered by kept results, of one processor's second | not known | 300 |" in text(found)
    assert "answered by kept results, of one processor's second | 400 | 300 |" in text(GOOD)


@pytest.mark.slow
def test_what_is_measured_is_there_to_be_measured(tmp_path: Path) -> None:
    assert measure.starts(tmp_path, 1)[0] > 0
    assert measure.overhead(tmp_path, 20, rounds=1, requests=2).direct[0] > 0
    assert measure.refusals(tmp_path, 100, clients=4).a_processor_second > 0
    assert measure.kept_answers(tmp_path, 100, clients=4).share == 1.0
    assert measure.memory(tmp_path, uploads=10, size=100_000) > 0
    assert measure.seen_servers(tmp_path, 1)[0] >= 0
