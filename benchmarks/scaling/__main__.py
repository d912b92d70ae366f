"""python -m benchmarks.scaling: how autoscalers follow a step of load; writes docs/reports/scaling.md with its plot."""

from __future__ import annotations

import argparse
import datetime
import os
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.against.checkouts import now_is
from benchmarks.scaling import cluster, report
from benchmarks.scaling.follow import SEED, begun, follow
from benchmarks.scaling.metrics_apis import PublishedMetrics
from benchmarks.scaling.players import arrivals
from testbed.paths import REPOSITORY
from tests.support.kubectl import kubectl_on

REPORTS: Final = REPOSITORY / "docs/reports"
BEFORE_SECONDS: Final = 90
BEFORE, AFTER = 1, 6
"""Pods' worth of load."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--seconds", type=int, default=900, help="after the step")
    parser.add_argument("--variants", nargs="+", choices=cluster.SCALED, default=list(cluster.SCALED))
    parser.add_argument("--out", type=Path, default=REPORTS)
    asked = parser.parse_args()
    load, published = os.getloadavg()[0], PublishedMetrics()
    seconds = BEFORE_SECONDS + asked.seconds
    come = arrivals([(BEFORE_SECONDS, BEFORE), (asked.seconds, AFTER)], SEED)
    with (
        tempfile.TemporaryDirectory() as name,
        cluster.running(Path(name) / "plane", published, asked.variants) as plane,
    ):
        found = follow(begun(kubectl_on(plane), asked.variants), seconds, come, published)
    text = report.text(found, BEFORE_SECONDS, AFTER)
    (asked.out / "scaling.md").write_text(_head(load) + text + "\n![pods and waits by the time](scaling.svg)\n")
    report.plot(found, BEFORE_SECONDS, AFTER, asked.out / "scaling.svg")
    print((asked.out / "scaling.md").read_text())


def _head(load: float) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return f"""\
# How autoscalers follow a step of load

`make bench-scaling` at {now_is()} on {today}, on {os.cpu_count()} processors that other programs used as well: the load
was {load:.1f} before and {os.getloadavg()[0]:.1f} after.

"""


if __name__ == "__main__":
    main()
