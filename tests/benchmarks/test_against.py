"""A row of the comparison with an earlier build replaces the one that was measured before it."""

from benchmarks.against import report
from benchmarks.against.samples import BuildSamples


def row(quantity: str, before: float, now: float) -> str:
    samples = BuildSamples(quantity)
    samples.add("before", before)
    samples.add("now", now)
    return report.row(samples, "≤ 0.5", "5b8778c", "2026-11-28")


def test_a_row_that_is_measured_anew_replaces_its_former_self() -> None:
    first = report.with_rows("", [row("seconds", 4, 3), row("MiB", 100, 50)])
    second = report.with_rows(first, [row("seconds", 4, 1)])
    assert "| seconds | 4 at 5b8778c | 3 | 0.75 | ≤ 0.5 |" in first
    assert "| seconds | 4 at 5b8778c | 1 | 0.25 | ≤ 0.5 |" in second
    assert second.count("| seconds |") == 1
    assert "| MiB | 100 at 5b8778c | 50 | 0.50 | ≤ 0.5 |" in second
