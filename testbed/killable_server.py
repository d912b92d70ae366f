"""A server of a test's own, which is killed at once, or paused so that it takes connections and answers nothing."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
START_SECONDS: Final = 30
LOOK_SECONDS: Final = 0.02


class KillableServer:
    """Its output goes to `directory`/log. It can be started again after it was killed."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def _start(self, command: Sequence[str], answers: Callable[[], bool]) -> None:
        """Returns once it answers; raises RuntimeError, with the end of its log, where it does not."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        ends = time.monotonic() + START_SECONDS
        while not answers():
            if time.monotonic() > ends or self._process.poll() is not None:
                raise RuntimeError(f"{command[0]} does not start: {self._log.read_text()[-2000:]}")
            time.sleep(LOOK_SECONDS)

    def kill(self) -> None:
        """Ends it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


def made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def until(what: str, holds: Callable[[], object]) -> None:
    ends = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > ends:
            raise RuntimeError(f"not within {START_SECONDS} s: {what}")
        time.sleep(LOOK_SECONDS)
