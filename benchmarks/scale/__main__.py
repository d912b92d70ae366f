"""python -m benchmarks.scale: what one store bears; writes docs/reports/scale.md with its plot."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.against.checkouts import now_is
from benchmarks.scale import report
from benchmarks.scale.costs import costs
from benchmarks.scale.fleet import Fleet
from benchmarks.scale.queue import simulated
from testbed.paths import REPOSITORY
from testbed.store_server import running

REPORTS: Final = REPOSITORY / "docs/reports"
FACTORS: Final = (0.1, 0.25, 0.5, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0)
SEED: Final = 22


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="of each verb; as many jobs wait at most")
    parser.add_argument("--out", type=Path, default=REPORTS)
    asked = parser.parse_args()
    load, fleet = os.getloadavg()[0], Fleet()
    with tempfile.TemporaryDirectory() as name, running("valkey", Path(name) / "store") as server:
        measured = asyncio.run(costs(server, Path(name) / "url", asked.calls))
    loads = [(factor, simulated(fleet.times(factor).calls(), measured, SEED)) for factor in FACTORS]
    found = report.ScaleReport(fleet, measured, loads)
    (asked.out / "scale.md").write_text(
        _head(load, asked.calls) + report.text(found) + "\n![the store by the load](scale.svg)\n"
    )
    report.plot(found, asked.out / "scale.svg")
    print((asked.out / "scale.md").read_text())


def _head(load: float, calls: int) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return f"""\
# What one store bears

`make bench-scale` at {now_is()} on {today}: the processor time of a Valkey, measured over {calls} calls of
each verb, up to {calls} jobs waiting, on a machine of {os.cpu_count()} processors that other programs used as
well: the load was {load:.1f} before and {os.getloadavg()[0]:.1f} after. An idle machine needs less.

"""


if __name__ == "__main__":
    main()
