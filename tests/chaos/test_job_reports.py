"""The reports of jobs that faults disturb say what was done, how often, and what came of it."""

from __future__ import annotations

import datetime
from collections import Counter

from chaos.jobs import pod_report, report
from chaos.jobs.kills import KillReport
from chaos.jobs.pod_rounds import PodReport


def test_kills_are_counted_by_write_and_jobs_by_their_end() -> None:
    found = KillReport(
        "directory", Counter({"commit of JobDatabase.insert": 2}), 1, Counter({("read", "completed"): 3}), 120.0
    )
    text = report.section(found)
    assert "2 rounds with a kill in 2 minutes" in text
    assert "All of them were survived." in text
    assert "| commit of JobDatabase.insert | 2 |" in text
    assert "| read | completed | 3 |" in text


def test_a_problem_is_named() -> None:
    assert "**The last one had a problem**: lost" in report.section(KillReport("valkey", problem="lost"))
    text = pod_report.markdown(PodReport(problem="a rollout: lost"), "x", datetime.date(2026, 11, 29), 1.0)
    assert "**The last round had a problem**: a rollout: lost" in text


def test_pods_rounds_are_counted_by_fault_and_jobs_by_model() -> None:
    found = PodReport(Counter({"a rollout": 2}), {"a rollout": [1.0, 5.0]}, Counter({"base": 4}), Counter({1: 3, 2: 1}))
    text = pod_report.markdown(found, "python -m chaos pods", datetime.date(2026, 11, 29), 1.0)
    assert "Written by `python -m chaos pods` on 2026-11-29" in text
    assert "| a rollout | 2 | 3 | 5 |" in text
    assert "3 in attempt 1, 1 in attempt 2" in text
    assert "| base | 4 |" in text
