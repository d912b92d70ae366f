"""A lock file: one download at a time of one file, on a volume that several pods share.

Partial files of unique names, renamed when they are whole, would never put a wrong file under a name either, and need
no lock. But then several services on one claim would each download the same gigabytes (docs/explanation/models.md
promises one download), no fetch could resume the leftovers of a killed one, because their writer might still live, and
none could tell leftovers from another's work when the volume is full.

A file rather than flock, which not every network file system keeps: it is made exclusively, holds its owner's name,
and its owner moves its modification time at each heartbeat. A waiting process measures by its own clock how long that
time stands still, so clocks need not agree. A lock that stands still for the stale time is taken over by a rename; the
process that it still names after the settle time is its owner. Two owners at once cost a download and never a wrong
file: only a checked file is published, and only by a process that still holds the lock.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class LockTimes:
    """Seconds; all processes that share a lock must use the same."""

    heartbeat: float = 5.0
    stale: float = 30.0
    settle: float = 2.0
    poll: float = 1.0


LOCK_TIMES: Final = LockTimes()


class FileLock:
    def __init__(self, path: Path, times: LockTimes = LOCK_TIMES) -> None:
        self._path = path
        self._times = times
        self._owner = f"{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex}"
        self._released = threading.Event()

    @contextlib.contextmanager
    def held(self, on_wait: Callable[[], None] = lambda: None) -> Generator[None, None, None]:
        """Acquires the lock, calling `on_wait` at each poll, and holds it while the block runs. Raises OSError."""
        self._acquire(on_wait)
        heart = threading.Thread(target=self._beat, name="lock", daemon=True)
        heart.start()
        try:
            yield
        finally:
            self._released.set()
            heart.join()
            if self.is_held():
                self._path.unlink(missing_ok=True)

    def is_held(self) -> bool:
        """Whether no other process has taken the lock over."""
        return self._read() == self._owner

    def _acquire(self, on_wait: Callable[[], None]) -> None:
        seen, since = ("", 0), time.monotonic()
        while not self._create():
            found = self._state()
            if found != seen:
                seen, since = found, time.monotonic()
            abandoned = time.monotonic() - since > self._times.stale or _is_dead(found[0])
            if abandoned and self._take_over(found):
                return
            on_wait()
            time.sleep(self._times.poll)

    def _create(self) -> bool:
        try:
            with self._path.open("x") as file:
                file.write(self._owner)
        except FileExistsError:
            return False
        return True

    def _take_over(self, seen: tuple[str, int]) -> bool:
        mine = self._path.with_name(f"{self._path.name}.{uuid.uuid4().hex}")
        mine.write_text(self._owner)
        if self._state() != seen:
            mine.unlink()
            return False
        mine.rename(self._path)
        time.sleep(self._times.settle)
        return self.is_held()

    def _beat(self) -> None:
        while not self._released.wait(self._times.heartbeat):
            with contextlib.suppress(OSError):  # a volume that fails for a moment shows in the download itself
                if self.is_held():
                    os.utime(self._path)

    def _state(self) -> tuple[str, int]:
        """Owner, and modification time in nanoseconds; ("", 0) without a lock file."""
        try:
            return self._read(), self._path.stat().st_mtime_ns
        except OSError:
            return "", 0

    def _read(self) -> str:
        try:
            return self._path.read_text()
        except OSError:
            return ""


def _is_dead(owner: str) -> bool:
    """Whether the owner was a process of this host that has ended, such as this container's previous one."""
    host, _, rest = owner.partition(" ")
    pid = rest.partition(" ")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
