"""Stages of the run: each is a process of its own with a time bound, so that one that fails or hangs ends itself alone.

Only the standard library is used here: on a bare machine nothing else is installed yet.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

OK: Final = "ok"
LOG_LINES: Final = 40
"""Lines of the log of a stage that failed, which the report shows."""

MeasuredRow = dict[str, Any]
"""What a stage measured once: values by the name of their column."""


@dataclass(frozen=True)
class Stage:
    name: str
    command: tuple[str, ...]
    seconds: float
    """Its time bound."""
    needs: tuple[str, ...] = ()
    """Stages without which it is left out."""


@dataclass(frozen=True)
class StageResult:
    stage: Stage
    outcome: str
    """`ok`, or in a few words why not."""
    seconds: float = 0.0
    rows: tuple[MeasuredRow, ...] = ()
    """Also those of a stage that ended too early."""
    log: str = ""
    """The end of what it printed, where it failed."""

    @property
    def is_ok(self) -> bool:
        return self.outcome == OK


def run(
    stage: Stage, before: Sequence[StageResult], out: Path, environment: Mapping[str, str], seconds_left: float
) -> StageResult:
    """Run a stage after those of `before`, for at most its own bound and `seconds_left`.

    Its rows are read from `out`/NAME.jsonl, a line each, and what it prints is kept in `out`/NAME.log.
    """
    ended_well = {one.stage.name for one in before if one.is_ok}
    if missing := [name for name in stage.needs if name not in ended_well]:
        return StageResult(stage, f"left out: {', '.join(missing)} did not end well")
    bound = min(stage.seconds, seconds_left)
    if bound <= 0:
        return StageResult(stage, "left out: the time of the whole run is over")
    started = time.monotonic()
    log = out / f"{stage.name}.log"
    outcome = _outcome(stage.command, log, environment, bound)
    seconds = time.monotonic() - started
    end = "" if outcome == OK else "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
    return StageResult(stage, outcome, seconds, _rows(out / f"{stage.name}.jsonl"), end)


def _outcome(command: Sequence[str], log: Path, environment: Mapping[str, str], bound: float) -> str:
    with log.open("wb") as file:
        try:
            process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, start_new_session=True)
        except OSError as error:
            return f"not started: {error}"
        try:
            code = process.wait(bound)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"ended after {bound:.0f} s, its time bound"
    return OK if code == 0 else f"failed with exit code {code}"


def _rows(path: Path) -> tuple[MeasuredRow, ...]:
    """Whole lines: a stage that is killed may leave half of one."""
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return tuple(json.loads(line) for line in lines)
