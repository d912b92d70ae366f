"""python -m benchmarks.jobs: what jobs cost; writes docs/reports/jobs.md, and fails where a goal is missed."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final

from benchmarks.against.checkouts import now_is
from benchmarks.jobs import before, beside_polls, hits, many, overhead, report, together
from benchmarks.load import audio_files
from testbed.paths import REPOSITORY

REPORT: Final = REPOSITORY / "docs/reports/jobs.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=25, help="of each kind in a round")
    parser.add_argument("--hits", type=int, default=10, help="of a result that is kept, of each kind in a round")
    parser.add_argument("--finished", type=int, default=100_000, help="jobs in the full store")
    parser.add_argument("--jobs", type=int, default=1000, help="that are polled")
    parser.add_argument("--clients", type=int, default=100, help="that poll")
    parser.add_argument("--seconds", type=float, default=60, help="of polls, and as many without")
    parser.add_argument("--report", type=Path, default=REPORT)
    asked = parser.parse_args()
    load, began, found, problems = os.getloadavg()[0], time.monotonic(), list[str](), list[str]()
    with tempfile.TemporaryDirectory() as name:
        for text, missed in _parts(Path(name), asked):
            found.append(text)
            problems += missed
    asked.report.write_text("\n".join([_head(load, asked.rounds, time.monotonic() - began), *found]))
    print(asked.report.read_text())
    if problems:
        sys.exit("; ".join(problems))


def _parts(work: Path, asked: argparse.Namespace) -> Generator[tuple[str, list[str]]]:
    """Each part of the report, with the goals that it misses."""
    clip, long = audio_files.short(work), audio_files.long(work)
    beyond = overhead.run(_within(work, "beyond its work"), clip.content, asked.rounds, asked.requests)
    yield report.overhead(beyond), beyond.problems
    files = [long, audio_files.long_wav(work)]
    known = hits.run(_within(work, "results that are kept"), files, asked.rounds, asked.hits)
    yield report.hits(known), known.problems
    at_once = together.run(_within(work, "the same file at once"), long, audio_files.LONG_SECONDS)
    yield report.together(at_once), at_once.problems
    full = _within(work, f"with {asked.finished} finished jobs")
    kept = many.run(full, clip.content, asked.rounds, asked.requests, asked.finished)
    yield report.store(kept), kept.problems
    polled = beside_polls.run(
        _within(work, "beside polls"), clip, asked.jobs, asked.clients, asked.rounds, asked.seconds
    )
    yield report.polls(polled), polled.problems
    rates = before.run(_within(work, "beside the build before jobs"), clip, asked.rounds, asked.requests)
    yield report.rates(rates), rates.problems


def _within(work: Path, part: str) -> Path:
    """A folder for that part, which is announced."""
    print(f"{time.strftime('%X')} {part}", flush=True)
    (directory := work / part.replace(" ", "-")).mkdir()
    return directory


def _head(load: float, rounds: int, seconds: float) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return f"""\
# What jobs cost

`make bench-jobs` at {now_is()} on {today}, on {os.cpu_count()} processors, which other programs may have
used as well: the load was {load:.1f} before and {os.getloadavg()[0]:.1f} after. It took {seconds / 60:.0f} minutes.
What is compared took turns in {rounds} rounds; each figure is the median of the rounds, with the smallest and the
largest in brackets.
"""


if __name__ == "__main__":
    main()
