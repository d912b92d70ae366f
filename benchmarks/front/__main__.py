"""python -m benchmarks.front: what a front costs; writes docs/reports/front.md, and fails where a goal is missed."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.against.checkouts import now_is
from benchmarks.front import measure
from benchmarks.front.report import FrontReport, text
from testbed.paths import REPOSITORY

REPORT: Final = REPOSITORY / "docs/reports/front.md"
SIZES: Final = (20, 400_000)
UPLOADS: Final = 500
UPLOAD_BYTES: Final = 400_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.front", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=60, help="of each kind in a round")
    parser.add_argument("--refusals", type=int, default=5000, help="and answers by kept results")
    parser.add_argument("--report", type=Path, default=REPORT)
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        found = FrontReport(
            starts=measure.starts(work, asked.rounds),
            overhead={size: measure.overhead(work, size, asked.rounds, asked.requests) for size in SIZES},
            refusals=measure.refusals(work, asked.refusals, clients=32),
            kept=measure.kept_answers(work, asked.refusals, clients=8),
            idle_mib=measure.idle_memory(work),
            uploads=UPLOADS,
            upload_bytes=UPLOAD_BYTES,
            mib=measure.memory(work, UPLOADS, UPLOAD_BYTES),
            seen=measure.seen_servers(work, asked.rounds),
        )
    asked.report.write_text(_head(load, asked.rounds) + text(found))
    print(asked.report.read_text())
    if found.problems:
        sys.exit("; ".join(found.problems))


def _head(load: float, rounds: int) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return f"""\
# What a front costs

`make bench-front` at {now_is()} on {today}, on {os.cpu_count()} processors, which other programs
used as well: the load was {load:.1f} before and {os.getloadavg()[0]:.1f} after. Of {rounds} rounds the median, with the
smallest and the largest in brackets.

"""


if __name__ == "__main__":
    main()
