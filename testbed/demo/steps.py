"""Runs steps: one line for each with its seconds, and the cause where one fails; V=1 shows what they log meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from testbed.demo.board import Board
from testbed.paths import CACHE, REPOSITORY

LOGS = CACHE / "log"

TICK_SECONDS = 1
LOOK_SECONDS = 10
EVIDENCE_LINES = 15
BOARD = Board(sys.stdout)
SHOWS_LOGS = os.environ.get("V") == "1"


class DemoStepFailed(Exception):
    """A step did not succeed; the message says what failed, the last lines of its log, and what to do."""


@dataclass(frozen=True)
class DemoStep:
    """One command with a name for people and the remedy when it fails."""

    name: str
    command: Sequence[str]
    remedy: str
    progress: Sequence[str] = ()
    """A command whose output says what a silent step waits for."""
    evidence: Sequence[Sequence[str]] = ()
    """Commands whose output shows the cause when it fails."""


def last_lines(log: Path, count: int) -> list[str]:
    """The last non-empty lines of `log`, progress bars' carriage returns taken as line ends."""
    text = log.read_text(errors="replace").replace("\r", "\n")
    return [line for line in text.splitlines() if line.strip()][-count:]


def run(step: DemoStep) -> str:
    """Runs `step` to its end and returns its standard output; raises DemoStepFailed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{step.name.replace(' ', '-')}.log"
    output = log.with_suffix(".out")
    started = time.monotonic()
    BOARD.begin(step.name)
    with log.open("w") as err, output.open("w") as out:
        process = subprocess.Popen(step.command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, cwd=REPOSITORY)
        _wait(process, step, (log, output))
    BOARD.end(step.name, succeeded=process.returncode == 0)
    if process.returncode:
        seconds = time.monotonic() - started
        head = f"{step.name} failed after {seconds:.0f} s (exit {process.returncode}): {' '.join(step.command)}"
        lines = [
            *last_lines(output, 5),
            *last_lines(log, 15),
            *(line for one in step.evidence for line in _output_lines(one)),
        ]
        shown = "\n".join(f"    {line[:300]}" for line in lines)
        raise DemoStepFailed(f"{head}\n{shown}\n  whole log: {log}\n  what to do: {step.remedy}")
    return output.read_text()


def _wait(process: subprocess.Popen[bytes], step: DemoStep, logs: Sequence[Path]) -> None:
    looked = time.monotonic()
    while True:
        try:
            process.wait(TICK_SECONDS)
            return
        except subprocess.TimeoutExpired:
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                _look(step, logs)
            BOARD.tick()


def _look(step: DemoStep, logs: Sequence[Path]) -> None:
    if step.progress:
        BOARD.waits_for(step.name, "".join(_output_lines(step.progress)[-1:])[:120])
    if SHOWS_LOGS:
        newest = max(logs, key=lambda log: log.stat().st_mtime)
        BOARD.line(f"         {step.name}: {''.join(last_lines(newest, 1))[:200]}")


def _output_lines(command: Sequence[str]) -> list[str]:
    """The last lines of what a command prints, whether it succeeds or not."""
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-EVIDENCE_LINES:]


def together(*chains: Sequence[DemoStep]) -> None:
    """Runs chains of steps at the same time, each chain in its order; raises the first DemoStepFailed."""
    with ThreadPoolExecutor(len(chains)) as pool:
        for running in [pool.submit(_in_order, chain) for chain in chains]:
            running.result()


def _in_order(chain: Sequence[DemoStep]) -> None:
    for step in chain:
        run(step)


def fail(error: Exception) -> None:
    print(f"\n{error}", file=sys.stderr)
    raise SystemExit(1)
