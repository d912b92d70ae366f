"""python -m benchmarks.runtime.tails: how long the slowest of eight clients wait: before, now, in a plain handler.

They send recordings of 3 to 7 s without a pause, their language named. All servers are up all the time; in each round
each has its turn with the same recordings. Writes a report.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.against.checkouts import builds, now_is
from benchmarks.runtime import load, speech, systems
from benchmarks.runtime.load import Round
from benchmarks.runtime.report import processor_name, spread
from testbed import runtime_process
from testbed.inputs import weights
from testbed.paths import REPOSITORY

BEFORE: Final = "be6e531"
"""The last commit in which every newcomer's encoding made the rows wait."""
REPORT: Final = REPOSITORY / "docs" / "reports" / "tails.md"
CLIENTS: Final = 8
LONGEST: Final = 7.5
"""Seconds; the shortest of the recordings has 3."""
HEADER: Final = """\
| server | requests/s | by before | p50 s | p95 s | p95 by plain | longest clip by shortest |
|---|---|---|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="base", choices=sorted(weights.SOURCES))
    parser.add_argument("--commit", default=BEFORE, help="the build that is compared with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=40, help="of a round")
    parser.add_argument("--out", type=Path, default=REPORT)
    parsed = parser.parse_args()
    weights.ensure()
    clips = [clip for clip in speech.short_clips() if clip.seconds < LONGEST]
    found: dict[str, list[Round]] = {}
    with _servers(parsed.model, parsed.commit) as up:
        for number in range(parsed.rounds):
            for name, system in up.items():
                done = load.run(system, clips, CLIENTS, parsed.requests, "en")
                found.setdefault(name, []).append(done)
                shown = f"round {number + 1}, {name}: {done.per_second:.2f}/s, p95 {done.percentile(95):.2f} s"
                print(shown, file=sys.stderr, flush=True)
    text = markdown(found, parsed.model, parsed.commit)
    parsed.out.write_text(text)
    print(text)


@contextmanager
def _servers(model: str, commit: str) -> Generator[dict[str, systems.System]]:
    """The plain handler and both builds, each with the allocator as its image sets it."""
    variables = [f"{key}={value}" for key, value in systems.image_memory().items()]
    with ExitStack() as stack:
        directory, both = Path(stack.enter_context(tempfile.TemporaryDirectory())), stack.enter_context(builds(commit))
        (plain,) = stack.enter_context(systems.running(["plain"], model, directory))
        up = {"plain": plain}
        for name, checkout in (("before", both.before), ("now", both.now)):
            (directory / name).mkdir()
            running = stack.enter_context(
                runtime_process.running(
                    directory / name, prefix=("env", *variables), checkout=checkout, model=str(weights.path(model))
                )
            )
            up[name] = systems.System("runtime", running.process, running.port, 0.0)
        yield up


def markdown(found: dict[str, list[Round]], model: str, commit: str) -> str:
    """The report: medians over the rounds, with the smallest and the largest."""
    now = now_is()
    before = statistics.median(one.per_second for one in found["before"])
    plain = statistics.median(one.percentile(95) for one in found["plain"])
    rows = [
        f"| {name} | {spread(rounds, lambda one: one.per_second)} "
        f"| {statistics.median(one.per_second for one in rounds) / before:.2f} "
        f"| {spread(rounds, lambda one: one.percentile(50))} | {spread(rounds, lambda one: one.percentile(95))} "
        f"| {statistics.median(one.percentile(95) for one in rounds) / plain:.2f} | {spread(rounds, _unfairness)} |\n"
        for name, rounds in found.items()
    ]
    return f"""\
# How long the slowest wait

`make bench-tails`: {model} in float32 on {os.cpu_count()} processors of {processor_name()}, {CLIENTS} clients that
send recordings of 3 to 7 s without a pause, English named. Before is {commit}, now {now}; medians of
{len(found["now"])} rounds, in turns, with the smallest and the largest in brackets. The last column is the median
latency of the longest recording, by that of the shortest.

{HEADER}{"".join(rows)}"""


def _unfairness(one: Round) -> float:
    """The median latency of the longest recording by that of the shortest."""
    lengths = sorted({request.clip.seconds for request in one.requests})
    shortest, longest = (
        statistics.median(request.seconds for request in one.requests if request.clip.seconds == length)
        for length in (lengths[0], lengths[-1])
    )
    return longest / shortest


if __name__ == "__main__":
    main()
