"""docs/reports/shared.md: a part for each load, replaced when it is measured anew."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.against.checkouts import now_is
from benchmarks.runtime.load import Round
from benchmarks.runtime.report import processor_name, spread
from testbed.paths import REPOSITORY

PATH: Final = REPOSITORY / "docs/reports/shared.md"
PART: Final = "\n## "
HEADER: Final = """\
| build | requests/s | by before | p50 s | p95 s |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Side:
    build: str
    """`before` or `now`."""
    setting: str = ""
    """VARIABLE=VALUE that the server is started with; empty: none."""

    def __str__(self) -> str:
        return f"{self.build}, {self.setting}" if self.setting else self.build


@dataclass(frozen=True)
class Title:
    model: str
    what: str
    clients: int
    goal: float
    commit: str
    """That of `before`."""
    date: str

    def __str__(self) -> str:
        return f"{self.what}: {self.model}, {self.clients} client{'s' if self.clients > 1 else ''}"


def write(title: Title, sides: Mapping[Side, Sequence[Round]]) -> None:
    """Puts the part of this load into the report."""
    text = part(title, sides)
    PATH.write_text(with_part(PATH.read_text() if PATH.exists() else "", text))


def part(title: Title, sides: Mapping[Side, Sequence[Round]]) -> str:
    """The table of one load; the first side is that of before."""
    now = now_is()
    base = statistics.median(one.per_second for one in next(iter(sides.values())))
    rows = [
        f"| {side} | {spread(rounds, lambda one: one.per_second)} "
        f"| {statistics.median(one.per_second for one in rounds) / base:.2f} "
        f"| {spread(rounds, lambda one: one.percentile(50))} | {spread(rounds, lambda one: one.percentile(95))} |\n"
        for side, rounds in sides.items()
    ]
    rounds = len(next(iter(sides.values())))
    said = f"Before is {title.commit}, now {now}, on {title.date}; {rounds} rounds; goal: by before {title.goal:g}."
    return f"{title}\n\n{said}\n\n{HEADER}{''.join(rows)}"


def with_part(report: str, text: str) -> str:
    """The report with this part in place of that of the same load; an empty `report` is a new one."""
    head, *parts = report.split(PART)
    by_title = {part.partition("\n")[0]: part.strip() for part in [*parts, text]}
    introduction = head if report else _introduction()
    return introduction.rstrip() + "\n" + "".join(f"{PART}{one}\n" for one in by_title.values())


def _introduction() -> str:
    return f"""\
# On processors that others use, too

Written by `python -m benchmarks.shared [ROW ...]` (`make bench-shared` for all rows), a load at a time, on
{os.cpu_count()} processors of {processor_name()}. Each server is in a control group of its own, as a pod is. The two
builds are up all the time and take turns with the same recordings of 3 to 11 s, no language named; medians of the
rounds, with the smallest and the largest in brackets. Whatever else ran on the machine had a sixteenth of the weight of
all groups together, and so distorts what needs an idle one.
"""
