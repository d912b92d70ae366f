"""The report of faults under real pods that have jobs under way: pure but for the file."""

from __future__ import annotations

import datetime
import os
import statistics
from pathlib import Path
from typing import Final

from chaos.jobs.pod_rounds import PodReport
from testbed.paths import REPOSITORY

REPORT: Final = REPOSITORY / "docs/reports/job-pods.md"


def write(report: PodReport, command: str) -> Path:
    """Replaces the report by one of these figures alone; returns its path."""
    REPORT.write_text(markdown(report, command, datetime.datetime.now(datetime.UTC).date(), os.getloadavg()[2]))
    return REPORT


def markdown(report: PodReport, command: str, date: datetime.date, load: float) -> str:
    end = f"**The last round had a problem**: {report.problem}" if report.problem else "All of them were survived."
    faults = "".join(
        f"| {fault} | {number} | {statistics.median(report.seconds[fault]):.0f} | {max(report.seconds[fault]):.0f} |\n"
        for fault, number in report.rounds.items()
    )
    jobs = "".join(f"| {what} | {number} |\n" for what, number in report.jobs.items())
    attempts = ", ".join(f"{number} in attempt {attempt}" for attempt, number in sorted(report.attempts.items()))
    return f"""\
# Jobs: what becomes of them when their pod is disturbed

Written by `{command}` on {date}, on {os.cpu_count()} processors with a load of {load:.0f} (mean of its last 15
minutes).

A service of one real pod, in a real cluster, with real weights and real speech. Its jobs lie on a volume of 64 MB, and
their ends are told to a receiver outside of the cluster. In each round it is given a recording of 108 s and one of
36 s as jobs, and a batch of two lines; once the model is at work one thing is done to it. Then it is checked that each
job and each line has ended with the very text that the model it names makes of the recording, that each end was told as
one event, and that once all is deleted no file is left on the volume.

{report.rounds.total()} rounds. {end}

| in the middle of the work | rounds | seconds until all had ended, median | longest |
|---|---|---|---|
{faults}
The disk is full to the last byte: new recordings are refused (507) meanwhile. Jobs ended: {attempts}.

| ended with the right text, by model | how many |
|---|---|
{jobs}"""
