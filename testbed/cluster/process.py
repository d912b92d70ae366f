"""Programs in the background: started detached, known by pid and start time, stopped in order."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

STOP_SECONDS = 20


class ComponentFailed(Exception):
    """A program did not come up; the message holds the last lines of its log."""


def start(directory: Path, name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
    """Starts `command` in a session of its own; its output goes to log/<name>.log, its identity to pid/<name>."""
    for folder in ("log", "pid"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    with (directory / "log" / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=directory,
            env={**os.environ, **(env or {})},
        )
    process.returncode = 0  # it is known by its pid from now on, and outlives this object
    (directory / "pid" / name).write_text(f"{process.pid} {_started(process.pid)}")


def is_running(directory: Path, name: str) -> bool:
    """Whether the very process that `start` started runs: a pid alone may be somebody else's by now."""
    return _pid(directory, name) is not None


def stop(directory: Path, name: str) -> None:
    """Ends the process and waits until it is gone, so that its port is free."""
    if (pid := _pid(directory, name)) is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _pid(directory, name) is not None:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                deadline += STOP_SECONDS
            time.sleep(0.05)
    (directory / "pid" / name).unlink(missing_ok=True)


def wait(directory: Path, name: str, what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
    """Returns once `holds()`; raises ComponentFailed when `name` has ended before, or time is over."""
    deadline = time.monotonic() + seconds
    while not holds():
        if not is_running(directory, name):
            raise ComponentFailed(f"{name} ended before {what}:\n{last_lines(directory, name)}")
        if time.monotonic() > deadline:
            raise ComponentFailed(f"not within {seconds:.0f} s: {what}\n{last_lines(directory, name)}")
        time.sleep(0.1)


def last_lines(directory: Path, name: str, count: int = 15) -> str:
    log = directory / "log" / f"{name}.log"
    lines = log.read_text(errors="replace").splitlines()[-count:] if log.exists() else []
    return "\n".join([*(f"    {line[:300]}" for line in lines), f"  whole log: {log}"])


@contextmanager
def paused(directory: Path, name: str) -> Generator[None]:
    """The process stands still while the block runs; raises ComponentFailed where it is not running."""
    pid = _pid(directory, name)
    if pid is None:
        raise ComponentFailed(f"{name} does not run, so it cannot be paused")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _pid(directory: Path, name: str) -> int | None:
    file = directory / "pid" / name
    if not file.exists():
        return None
    pid, _, started = file.read_text().partition(" ")
    _reap(int(pid))
    return int(pid) if started and _started(int(pid)) == started else None


def _reap(pid: int) -> None:
    """A child of this very process stays a zombie until it is waited for."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _started(pid: int) -> str:
    """Clock ticks from boot to the process's start (field 22 of /proc/<pid>/stat); empty where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state == "Z" else fields[18]
