"""The report of kills at the writes of the stores of jobs: pure but for the file."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chaos.jobs.kills import KillReport
from testbed.paths import REPOSITORY

REPORT: Final = REPOSITORY / "docs/reports/job-faults.md"
NAMES: Final = {"directory": "A directory: SQLite and files", "valkey": "Valkey"}


def write(reports: Sequence[KillReport], command: str) -> Path:
    """Replaces the report by one of these figures alone; returns its path."""
    head = HEAD.format(
        command=command,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        processors=os.cpu_count(),
        load=os.getloadavg()[2],
    )
    REPORT.write_text("\n".join([head, *map(section, reports)]))
    return REPORT


def section(report: KillReport) -> str:
    end = f"**The last one had a problem**: {report.problem}" if report.problem else "All of them were survived."
    points = "".join(f"| {point} | {number} |\n" for point, number in report.killed_at.most_common())
    outcomes = "".join(f"| {what} | {how} | {number} |\n" for (what, how), number in sorted(report.outcomes.items()))
    return f"""\
## {NAMES[report.store]}

{report.rounds} rounds with a kill in {report.seconds / 60:.0f} minutes, and {report.undisturbed} that were over before
their write came. {end}

| killed right after the | times |
|---|---|
{points}
What the client had an answer for, or sent again with its key:

| what | ended as | how many |
|---|---|---|
{outcomes}"""


HEAD: Final = """\
# Jobs: what a killed server loses

Written by `{command}` on {date}, on {processors} processors with a load of {load:.0f} (mean of the last 15 minutes).

The server is killed by SIGKILL right after a write of its store, in each round another one, until it was each once, and
then all over again. Under way are jobs that are read, cancelled, deleted at once and when they are done, translated and
fetched by a URL, each with a webhook and an idempotency key, uploaded files, and two batches of four lines, one of
which is cancelled. The engine is a fake whose text is the recording's length. Then another server
takes over, and it is checked that

- each job that was accepted has ended, the right way and with the right text, and says the same twice; a submission
  without an answer, sent again with its key, is one job;
- each end is told as one event, however often it is sent; each batch has all of its lines once, in order;
- once all is deleted and the server has ended, no file is left, no lease is held, what is counted is what is there, and
  the database is sound.
"""
