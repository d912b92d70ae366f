"""A client with few files beside one with many; `python -m benchmarks.fairness` runs the long form."""

from __future__ import annotations

from benchmarks.fairness import Waits, text

FOUND = Waits(idle=[2.0, 2.0, 2.4], beside=[3.0, 5.0], left=[180, 170])


def test_the_longest_wait_counts_against_the_median_of_an_idle_service() -> None:
    assert FOUND.ratio == 2.5


def test_the_report_has_each_wait() -> None:
    found = text(FOUND)
    assert "takes it 2.0 s. Beside the other client it takes at most 2.5 times as long; the goal is 3." in found
    assert "| 180 | 3.0 | 1.5 |\n| 170 | 5.0 | 2.5 |\n" in found
