"""python -m benchmarks.jobs: what jobs cost; writes docs/reports/jobs.md, and fails where a goal is missed."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.against.checkouts import now_is
from benchmarks.jobs import beside_polls, hits, many, overhead, report
from benchmarks.load import audio_files
from testbed.paths import REPOSITORY

REPORT: Final = REPOSITORY / "docs/reports/jobs.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=40, help="of each kind in a round")
    parser.add_argument("--finished", type=int, default=100_000, help="jobs in the full store")
    parser.add_argument("--jobs", type=int, default=1000, help="that are polled")
    parser.add_argument("--clients", type=int, default=100, help="that poll")
    parser.add_argument("--seconds", type=float, default=60, help="of polls")
    parser.add_argument("--report", type=Path, default=REPORT)
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for part in ("overhead", "hits", "many", "polls"):
            (work / part).mkdir()
        clip = audio_files.short(work)
        print("beyond its work", flush=True)
        beyond = overhead.run(work / "overhead", clip.content, asked.rounds, asked.requests)
        print("results that are kept", flush=True)
        files = [audio_files.long(work), audio_files.long_wav(work)]
        known = hits.run(work / "hits", files, asked.rounds, asked.requests)
        print(f"with {asked.finished} finished jobs", flush=True)
        kept = many.run(work / "many", clip.content, asked.rounds, asked.requests, asked.finished)
        print("beside polls", flush=True)
        polled = beside_polls.run(work / "polls", clip, asked.jobs, asked.clients, asked.rounds, asked.seconds)
    head = _head(load, asked.rounds)
    parts = [head, report.overhead(beyond), report.hits(known), report.store(kept), report.polls(polled)]
    asked.report.write_text("\n".join(parts))
    print(asked.report.read_text())
    if problems := [*beyond.problems, *known.problems, *kept.problems, *polled.problems]:
        sys.exit("; ".join(problems))


def _head(load: float, rounds: int) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return f"""\
# What jobs cost

`make bench-jobs` at {now_is()} on {today}, on {os.cpu_count()} processors, which other programs used as
well: the load was {load:.1f} before and {os.getloadavg()[0]:.1f} after. What is compared took turns in {rounds} rounds;
each figure is the median of the rounds, with the smallest and the largest in brackets.
"""


if __name__ == "__main__":
    main()
