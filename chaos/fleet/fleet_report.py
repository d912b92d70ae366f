"""The report of faults under a service of several pods: pure but for the file."""

from __future__ import annotations

import datetime
import os
import statistics
from collections import Counter
from pathlib import Path
from typing import Final

from chaos.fleet.clients import DOORS
from chaos.fleet.fleet_rounds import FleetReport
from testbed.paths import REPOSITORY

REPORT: Final = REPOSITORY / "docs/reports/fleet.md"
DOOR_NAMES: Final = {"whole": "one answer", "stream": "a stream of events", "job": "a job that is polled"}


def write(report: FleetReport, command: str) -> Path:
    """Replaces the report by one of these figures alone; returns its path."""
    REPORT.write_text(markdown(report, command, datetime.datetime.now(datetime.UTC).date(), os.getloadavg()[2]))
    return REPORT


def markdown(report: FleetReport, command: str, date: datetime.date, load: float) -> str:
    ledger = report.ledger
    end = "".join(f"\n- **{problem}**" for problem in report.problems[:20]) or "All of it was as it should be."
    faults = Counter(fault.name for fault in report.faults)
    doors = "".join(_door(report, door) for door in DOORS)
    refused = "".join(f"| {what} | {number} |\n" for what, number in ledger.refused.most_common())
    attempts = ", ".join(f"{number} in attempt {attempt}" for attempt, number in sorted(report.attempts.items()))
    return f"""\
# A service of several pods, and what its clients notice of faults

Written by `{command}` on {date}, on {os.cpu_count()} processors with a load of {load:.0f} (mean of its last 15
minutes); seed {report.seed}.

Two pods behind two fronts in a real cluster, with real weights and real speech. Their queue is in Valkey, with a
replica and three sentinels, and their recordings in a bucket of an S3 server. Six clients use them without a pause, as
official clients do: what is refused with 429 or 503 and `Retry-After`, or breaks off, is sent again. Each text must be
the very one that the model makes of that recording while nothing is done to it, and a connection may break only where
the fault explains it: a killed front takes those that it has with it, a killed server the streams that it has begun to
answer. At the end each accepted job must be there once, with its text; after its deletion nothing may be left of it in
the store's queue, at the fronts, or in the bucket, once that was searched for what killed pods had left, as servers do
each hour. Faults of the store come one after the other, and so do those of the
bucket, and those of pods and the operator; the three overlap.

{len(report.faults)} faults in {report.seconds / 60:.0f} minutes. {end}

| fault | how often |
|---|---|
{"".join(f"| {name} | {number} |{chr(10)}" for name, number in faults.most_common())}
| way | right texts | seconds to the answer, median | longest | connections that a fault broke |
|---|---|---|---|---|
{doors}
| refused for now | how often |
|---|---|
{refused}
Jobs ended: {attempts or "none"}. Killed pods had left {report.swept} objects in the bucket.
"""


def _door(report: FleetReport, door: str) -> str:
    ledger = report.ledger
    waits = ledger.waits.get(door) or [0.0]
    broken = sum(one.door == door for one in ledger.broken)
    middle, longest = statistics.median(waits), max(waits)
    return f"| {DOOR_NAMES[door]} | {ledger.answered[door]} | {middle:.1f} | {longest:.1f} | {broken} |\n"
