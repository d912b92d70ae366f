"""A stage of the run on a card: whatever it does, it ends in time, and what it measured until then is kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.gpu.__main__ import stages
from benchmarks.gpu.report import markdown
from benchmarks.gpu.stages import OK, Stage, StageResult, run
from tests.support.waiting import eventually

TELLS = "import sys; open(sys.argv[1], 'a').write('{\"rows\": 8}\\n'); print('half-way', flush=True); "


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A stage `steps` that tells one row and ends well."""
    return told(tmp_path, "")


def told(out: Path, then: str, seconds: float = 20) -> Stage:
    return Stage("steps", (sys.executable, "-c", TELLS + then, str(out / "steps.jsonl")), seconds, ("models",))


MODELS = StageResult(Stage("models", (), 1), OK)


def test_a_stage_that_ends_well_has_its_rows(stage: Stage, tmp_path: Path) -> None:
    found = run(stage, [MODELS], tmp_path, os.environ, 100)
    assert (found.outcome, found.rows, found.log) == (OK, ({"rows": 8},), "")


def test_one_that_fails_keeps_its_rows_and_the_end_of_its_log(tmp_path: Path) -> None:
    found = run(told(tmp_path, "raise SystemExit('no memory')"), [MODELS], tmp_path, os.environ, 100)
    assert (found.outcome, found.rows) == ("failed with exit code 1", ({"rows": 8},))
    assert found.log == "half-way\nno memory"


def test_one_that_hangs_is_ended_with_its_children_and_half_a_line_is_no_row(tmp_path: Path) -> None:
    pid = tmp_path / "child"
    hangs = (
        "import subprocess as s; c = s.Popen(['sleep', '60']); "
        f"open({str(pid)!r}, 'w').write(str(c.pid)); open(sys.argv[1], 'a').write('{{\"ro'); c.wait()"
    )
    found = run(told(tmp_path, hangs, seconds=2), [MODELS], tmp_path, os.environ, 100)
    assert (found.outcome, found.rows) == ("ended after 2 s, its time bound", ({"rows": 8},))
    state = Path(f"/proc/{pid.read_text()}/stat")
    eventually("the child is dead", lambda: not state.exists() or state.read_text().split()[2] == "Z")


@pytest.mark.parametrize(
    ("before", "left", "outcome"),
    [
        ([], 100, "left out: models did not end well"),
        ([StageResult(MODELS.stage, "failed with exit code 1")], 100, "left out: models did not end well"),
        ([MODELS], -1, "left out: the time of the whole run is over"),
    ],
)
def test_one_that_cannot_be_run_is_left_out(
    stage: Stage, tmp_path: Path, before: list[StageResult], left: float, outcome: str
) -> None:
    assert run(stage, before, tmp_path, os.environ, left).outcome == outcome


def test_a_program_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    found = run(Stage("tests", ("/no/such/program",), 1), [], tmp_path, os.environ, 100)
    assert found.outcome.startswith("not started: ")


def test_the_report_tells_what_was_measured_and_how_the_rest_ended(tmp_path: Path) -> None:
    failed = StageResult(told(tmp_path, ""), "failed with exit code 1", 3.0, ({"rows": 8}, {"rows": 9}), "no memory")
    text = markdown([MODELS, failed], "large-v3 on a card")
    assert text.startswith("# large-v3 on a card\n")
    assert "| rows |\n|---|\n| 8 |\n| 9 |\n" in text
    assert "| steps | 3.0 | failed with exit code 1 |" in text
    assert "```\nno memory\n```" in text


def test_all_stages_together_may_take_longer_than_the_run_but_those_before_the_figures_do_not(tmp_path: Path) -> None:
    found = stages(tmp_path, tmp_path, tmp_path, "cuda", "large-v3")
    assert [one.name for one in found] == [
        "install",
        "machine",
        "models",
        "tests",
        "steps",
        "encoder",
        "clients",
        "upstream",
        "profile",
    ]
    assert sum(one.seconds for one in found[:4]) < 510 - 60
