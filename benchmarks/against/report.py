"""docs/reports/against.md: a row for each quantity, replaced when it is measured anew."""

from __future__ import annotations

import os

from benchmarks.against.checkouts import now_is
from benchmarks.against.samples import BuildSamples
from testbed.paths import REPOSITORY

PATH = REPOSITORY / "docs/reports/against.md"
HEADER = """\
| quantity | before | now | now by before | goal | measured |
|---|---|---|---|---|---|
"""


def row(samples: BuildSamples, goal: str, commit: str, date: str) -> str:
    """A line of the table: quantity, medians with their spread, ratio, goal, and the commit and day that are "now"."""
    now = now_is()
    before, after = samples.shown("before"), samples.shown("now")
    return (
        f"| {samples.quantity} | {before} at {commit} | {after} | {samples.ratio:.2f} | {goal} | at {now} on {date} |\n"
    )


def with_rows(report: str, rows: list[str]) -> str:
    """The report with these rows in place of those of the same quantities; an empty `report` is a new one."""
    kept = {_quantity(line): line for line in report.partition(HEADER)[2].splitlines(keepends=True)}
    kept |= {_quantity(line): line for line in rows}
    return f"{_introduction()}{HEADER}{''.join(kept.values())}"


def _quantity(line: str) -> str:
    return line.split("|")[1].strip()


def _introduction() -> str:
    return f"""\
# This build beside an earlier one

Written by `python -m benchmarks.against [ROW ...]` (`make bench-against` for all rows), a row at a time, on a machine
of {os.cpu_count()} processors. The two builds of a row are measured in turns, in one run; medians, with the smallest
and the largest in brackets.

"""
