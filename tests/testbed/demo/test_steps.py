"""A step that fails says what it logged last and what to do; one that succeeds, its seconds and no line of a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.demo import steps
from testbed.demo.steps import DemoStep, DemoStepFailed, run, together


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LOGS", tmp_path)


def shell(name: str, script: str) -> DemoStep:
    return DemoStep(name, ("sh", "-c", script), "look again", evidence=(("echo", "evidence"),))


def test_a_step_returns_what_it_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(shell("one", "echo out; echo log >&2")) == "out\n"
    assert "log" not in capfd.readouterr().out


def test_a_failure_has_its_cause_and_its_remedy() -> None:
    with pytest.raises(DemoStepFailed) as failed:
        run(shell("one two", "echo out; echo log >&2; exit 3"))
    text = str(failed.value)
    for part in ("one two failed", "(exit 3)", "    out\n", "    log\n", "    evidence\n", "what to do: look again"):
        assert part in text


def test_the_first_failure_of_several_is_told() -> None:
    with pytest.raises(DemoStepFailed, match="two failed"):
        together([shell("one", "true")], [shell("two", "false")])
