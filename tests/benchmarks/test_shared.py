"""Rows of shared processors: a load that is measured anew replaces its former self, and groups weigh as they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.runtime.load import Request, Round
from benchmarks.runtime.speech import Clip
from benchmarks.shared import report
from benchmarks.shared.groups import cpu_group
from benchmarks.shared.report import Side, Title

CLIP = Clip("clip", b"", 5.0, "words")


def rounds(*seconds: float) -> list[Round]:
    """A round of one request for each duration."""
    return [Round((Request(CLIP, took, took, "words"),), took) for took in seconds]


def part(clients: int, now: float) -> str:
    title = Title("base", "a busy neighbour", clients, 1.7, "c205354", "2026-11-28")
    sides = {Side("before"): rounds(4, 8, 4), Side("now"): rounds(now), Side("now", "GOMP_SPINCOUNT=0"): rounds(1)}
    return report.part(title, sides)


def test_a_load_that_is_measured_anew_replaces_its_former_self() -> None:
    first = report.with_part(report.with_part("", part(1, 4)), part(8, 4))
    second = report.with_part(first, part(1, 2))
    assert second.count("## a busy neighbour: base, 1 client\n") == 1
    assert second.count("## a busy neighbour: base, 8 clients\n") == 1
    assert "| before | 0.25 (0.12 to 0.25) | 1.00 | 4.00 (4.00 to 8.00) | 4.00 (4.00 to 8.00) |" in second
    assert "| now | 0.50 (0.50 to 0.50) | 2.00 |" in second
    assert "| now, GOMP_SPINCOUNT=0 | 1.00 (1.00 to 1.00) | 4.00 |" in second
    assert report.with_part(second, part(1, 2)) == second


@pytest.mark.slow
def test_a_program_in_a_group_sees_its_quota() -> None:
    with cpu_group("test", quota=0.5) as group:
        program = "from whisper_runtime.process.cgroup import cpu_grant; print(cpu_grant().quota)"
        runtime = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "runtime")}
        command = (*group.prefix, sys.executable, "-c", program)
        assert subprocess.check_output(command, env=runtime, text=True) == "0.5\n"
