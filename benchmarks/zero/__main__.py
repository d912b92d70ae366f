"""python -m benchmarks.zero: what clients of a service without a pod wait for; writes docs/reports/zero.md."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from pathlib import Path
from typing import Final

from benchmarks.against.checkouts import now_is
from benchmarks.zero import held_hour, wake
from testbed.paths import REPOSITORY

REPORT: Final = REPOSITORY / "docs/reports/zero.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zero", description=__doc__)
    parser.add_argument("--wakes", type=int, default=5)
    parser.add_argument("--report", type=Path, default=REPORT)
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    wakes, hour = wake.run(asked.wakes), held_hour.run()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    asked.report.write_text(
        f"# From no pod to words\n\n`make bench-zero` at {now_is()} on {today}, on {os.cpu_count()} processors that "
        f"other programs used as well: the\nload was {load:.1f} before and {os.getloadavg()[0]:.1f} after.\n\n"
        f"{wake.text(wakes)}\n{held_hour.text(hour)}"
    )
    print(asked.report.read_text())
    if (ratio := wake.ratio_of(wakes)) > wake.GOAL:
        sys.exit(f"{ratio:.2f} times a pod's start and the transcription, and not {wake.GOAL}")


if __name__ == "__main__":
    main()
