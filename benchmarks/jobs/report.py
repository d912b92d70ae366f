"""The report of what jobs cost: pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from benchmarks.jobs.before import BEFORE, RateReport
from benchmarks.jobs.before import CLIENTS as RATE_CLIENTS
from benchmarks.jobs.before import GOAL as RATE_GOAL
from benchmarks.jobs.beside_polls import GOAL as POLLS_GOAL
from benchmarks.jobs.beside_polls import PollReport, p50, p95
from benchmarks.jobs.hits import GOAL_MS as HIT_GOAL
from benchmarks.jobs.hits import LAST_BYTES, HitReport
from benchmarks.jobs.many import EMPTY, FULL, StoreReport
from benchmarks.jobs.many import GOAL as STORE_GOAL
from benchmarks.jobs.overhead import GOAL_MS, OverheadReport
from benchmarks.jobs.together import CLIENTS, TogetherReport

NOT_TELLING: Final = """
**The machine was too busy to tell: {}.** Run it on one that has nothing else to do.
"""


def spread(values: Sequence[float], digits: int = 1) -> str:
    """The median, with the smallest and the largest in brackets."""
    least, most = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"


def overhead(report: OverheadReport) -> str:
    return f"""\
## Beyond its work

The same five seconds of speech as a request, and as a job that is waited for (`Prefer: respond-async, wait=60`), by
turns, from one client to one server, whose engine takes a known time. Median ms of a round.

| | ms |
|---|---|
| request | {spread(report.requests)} |
| job | {spread(report.jobs)} |
| the job beyond the request | {spread(report.overhead)}; at most {GOAL_MS:.0f} is the goal |
| of the server's processors, the job beyond the request | {spread(report.processor)} |
{"" if report.is_telling else NOT_TELLING.format("the rounds differ by more than the goal")}"""


def hits(report: HitReport) -> str:
    rows = "".join(
        f"| {file} | {form} | {spread(times.answer)} | {spread(times.processor)} | {spread(times.whole)} |\n"
        for (file, form), times in report.kinds.items()
    )
    return f"""\
## A result that is kept

Ten minutes of speech that the server knows. The last {LAST_BYTES} bytes of the form are sent once the server has read
the rest, as over a network that is slower than it. Median ms of a round; at most {HIT_GOAL:.0f} to the answer is the
goal.

| file | response format | last byte to answer | processors, of that | processors, the whole request |
|---|---|---|---|---|
{rows}{"" if report.is_telling else NOT_TELLING.format("the server waited longer than it worked")}"""


def together(report: TogetherReport) -> str:
    known = report.outcomes["known"]
    return f"""\
## The same file from {CLIENTS} clients at once

Each sends {report.file_seconds / 60:.0f} minutes of speech that no result is kept of: {known} of {CLIENTS} got what was
made for another, and the model transcribed {report.transcribed_seconds:.0f} s. That is {report.transcriptions:.1f}
transcriptions; one is the goal.
"""


def store(report: StoreReport) -> str:
    rows = "".join(
        f"| {request} | {spread(found[EMPTY])} | {spread(found[FULL])} | {report.ratio(request):.2f} |\n"
        for request, found in report.by_request.items()
    )
    memory = "".join(
        f"| {name} | {values[0]:.0f} | {values[1]:.0f} | {values[-1]:.0f} |\n" for name, values in report.memory.items()
    )
    return f"""\
## With {report.finished:,} finished jobs

A server with so many jobs of one client, each with its result, and one with those alone that the measurement makes, by
turns. Median ms of a round; the goal is at most {STORE_GOAL:.0f} times as long.

| | empty | {report.finished:,} jobs | times |
|---|---|---|---|
{rows}
Anonymous memory of the two processes, in MiB:

| store | at the start | after the first round | after the last |
|---|---|---|---|
{memory}"""


def polls(report: PollReport) -> str:
    rate = sum(report.polls.statuses.values()) / report.polled_seconds
    rows = "".join(
        f"| {name} | {sum(map(len, parts))} | {spread([p50(part) for part in parts], 2)} "
        f"| {spread([p95(part) for part in parts], 2)} |\n"
        for name, parts in (("without polls", report.without), ("beside polls", report.beside))
    )
    return f"""\
## Requests beside clients that poll

tiny.en with real weights; {report.jobs:,} jobs wait and are worked off in the background all the while. One client
sends five seconds of speech again and again; by turns {report.clients} clients ask for those jobs' status, each once a
second on a kept connection ({rate:.0f} polls/s, median {1000 * statistics.median(report.polls.seconds):.0f} ms).
Seconds, of each slice.

| | requests | median | 95th percentile |
|---|---|---|---|
{rows}
The 95th percentile of all is {report.times:.2f} times as long beside polls; the goal is at most {POLLS_GOAL}.
{"" if report.is_telling else NOT_TELLING.format("there are too few requests for a 95th percentile")}"""


def rates(report: RateReport) -> str:
    rows = "".join(
        f"| {build} | {spread(report.per_second[build], 2)} | {spread(report.processor[build])} |\n"
        for build in report.per_second
    )
    return f"""\
## Requests of who uses no jobs

tiny.en with real weights: {RATE_CLIENTS} clients send five seconds of speech, by turns to this build, which keeps jobs,
and to {BEFORE}, the last one without them.

| build | requests/s | ms of its processors for a request |
|---|---|---|
{rows}
Requests/s of a round, now by before: {spread(report.ratios, 3)}; at least {RATE_GOAL} is the goal.
{"" if report.is_telling else NOT_TELLING.format("the rounds differ by more than the goal")}"""
