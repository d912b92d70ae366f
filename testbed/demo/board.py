"""What people see while steps run: what is done, what runs and for how long, and what comes next. No line of any log.

On a terminal the last line is rewritten in place; elsewhere it comes again every half minute.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, TextIO

SAID_AGAIN_SECONDS: Final = 30.0
"""Elsewhere than on a terminal."""


class Board:
    """May be used by several threads."""

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._now = now
        self._lock = threading.Lock()
        self._running: dict[str, tuple[float, str]] = {}
        """When each step began, and what it waits for; empty: it has not said."""
        self._plan: list[str] = []
        """Steps that are still to begin."""
        self._said = now()
        self._is_terminal = stream.isatty()
        self._is_line_open = False

    def plan(self, names: Sequence[str]) -> None:
        """The steps that come, in their order."""
        with self._lock:
            self._plan = list(names)

    def begin(self, name: str) -> None:
        with self._lock:
            self._running[name] = (self._now(), "")
            self._plan = [one for one in self._plan if one != name]

    def waits_for(self, name: str, what: str) -> None:
        """What the running step waits for, in its own words."""
        with self._lock:
            self._running[name] = (self._running[name][0], what)

    def end(self, name: str, *, succeeded: bool) -> None:
        with self._lock:
            began, _ = self._running.pop(name)
            if succeeded:
                self._print(f"  {self._now() - began:7.1f} s  {name}")

    def line(self, text: str) -> None:
        with self._lock:
            self._print(text)

    def tick(self) -> None:
        """Call it every second or so while steps run."""
        with self._lock:
            if not self._running:
                return
            if self._is_terminal:
                self._stream.write(f"\r\x1b[K{self._state()[: shutil.get_terminal_size().columns - 1]}")
                self._stream.flush()
                self._is_line_open = True
            elif self._now() - self._said >= SAID_AGAIN_SECONDS:
                self._print(self._state())

    def _print(self, text: str) -> None:
        self._stream.write(("\r\x1b[K" if self._is_line_open else "") + f"{text}\n")
        self._stream.flush()
        self._is_line_open = False
        self._said = self._now()

    def _state(self) -> str:
        running = ", ".join(
            f"{name} {self._now() - began:.0f} s" + (f" ({what})" if what else "")
            for name, (began, what) in self._running.items()
        )
        return f"         … {running}" + (f"; next: {self._plan[0]}" if self._plan else "")
