"""python -m benchmarks.against [--commit COMMIT] [ROW ...]: this checkout beside an earlier commit, in one run."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable, Iterator
from typing import Final

from benchmarks.against import operator_rows, report, runtime_rows
from benchmarks.against.checkouts import Builds, builds
from benchmarks.against.samples import BuildSamples

BEFORE: Final = "5b8778c"
"""The last commit before the folders became the pipeline."""
PASS_ROUNDS: Final = 3
"""A pass takes milliseconds: it is measured that many times as often as the rest."""
ComparedRow = Callable[[Builds, argparse.Namespace], Iterator[tuple[BuildSamples, str]]]
"""Measures; gives quantities with their goals."""


def _pass(found: Builds, parsed: argparse.Namespace) -> Iterator[tuple[BuildSamples, str]]:
    yield operator_rows.settled_pass(found, PASS_ROUNDS * parsed.rounds), "≤ 0.4"


def _convergence(found: Builds, parsed: argparse.Namespace) -> Iterator[tuple[BuildSamples, str]]:
    for samples in operator_rows.convergence(found, parsed.created, parsed.rounds):
        yield samples, "≥ 1.0" if samples.higher_is_better else "≤ 1.0"


def _restart(found: Builds, parsed: argparse.Namespace) -> Iterator[tuple[BuildSamples, str]]:
    seconds, memory = operator_rows.restart(found, parsed.restarted, parsed.rounds)
    yield seconds, "≤ 0.7"
    yield memory, "≤ 0.8"


def _pods(found: Builds, parsed: argparse.Namespace) -> Iterator[tuple[BuildSamples, str]]:
    yield operator_rows.pods_of_others(found, parsed.pods, parsed.rounds), "at most 20 MiB now"


def _requests(found: Builds, parsed: argparse.Namespace) -> Iterator[tuple[BuildSamples, str]]:
    yield runtime_rows.requests(found, parsed.requests, parsed.rounds), "≥ 0.98"


ROWS: Final[dict[str, ComparedRow]] = {
    "pass": _pass,
    "convergence": _convergence,
    "restart": _restart,
    "pods": _pods,
    "requests": _requests,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all, where none is named")
    parser.add_argument("--commit", default=BEFORE)
    parser.add_argument("--rounds", type=int, default=2, help="measurements of each build")
    parser.add_argument("--created", type=int, default=1000, help="services of the row `convergence`")
    parser.add_argument("--restarted", type=int, default=3000, help="services of the row `restart`")
    parser.add_argument("--pods", type=int, default=5000, help="pods of others in the row `pods`")
    parser.add_argument("--requests", type=int, default=64, help="requests of the row `requests`")
    parsed = parser.parse_args()
    if unknown := set(parsed.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    with builds(parsed.commit) as found:
        for name in parsed.rows or ROWS:
            rows = [report.row(samples, goal, parsed.commit, today) for samples, goal in ROWS[name](found, parsed)]
            print(*rows, sep="", end="", flush=True)
            report.PATH.write_text(report.with_rows(report.PATH.read_text() if report.PATH.exists() else "", rows))


if __name__ == "__main__":
    main()
