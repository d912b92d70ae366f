"""One download at a time of one file on a volume that several pods share.

A lock file, because flock is not kept by every network file system: made exclusively, holding its owner's name, its
modification time moved on every HEARTBEAT_SECONDS. Who waits watches that time by a clock of its own, so that clocks
need not agree; a lock that has not moved for STALE_SECONDS is taken over by a rename, and whoever is still named in it
after SETTLE_SECONDS has it. Two owners at once cost a download and never a wrong file: what is published is checked,
and only by an owner that still holds the lock.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

HEARTBEAT_SECONDS: Final = 5.0
STALE_SECONDS: Final = 30.0
SETTLE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 1.0


class Lock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._owner = f"{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex}"
        self._over = threading.Event()

    @contextlib.contextmanager
    def held(self, waiting: Callable[[], None] = lambda: None) -> Generator[None, None, None]:
        """Waits for the lock, calling `waiting` each second, and keeps it until the block ends. Raises OSError."""
        self._acquire(waiting)
        heart = threading.Thread(target=self._beat, name="lock", daemon=True)
        heart.start()
        try:
            yield
        finally:
            self._over.set()
            heart.join()
            if self.is_held():
                self._path.unlink(missing_ok=True)

    def is_held(self) -> bool:
        """Whether nobody has taken the lock over."""
        return self._read() == self._owner

    def _acquire(self, waiting: Callable[[], None]) -> None:
        seen, since = ("", 0), time.monotonic()
        while not self._create():
            found = self._seen()
            if found != seen:
                seen, since = found, time.monotonic()
            abandoned = time.monotonic() - since > STALE_SECONDS or _is_dead(found[0])
            if abandoned and self._take_over(found):
                return
            waiting()
            time.sleep(LOOK_SECONDS)

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
        if self._seen() != seen:
            mine.unlink()
            return False
        mine.rename(self._path)
        time.sleep(SETTLE_SECONDS)
        return self.is_held()

    def _beat(self) -> None:
        while not self._over.wait(HEARTBEAT_SECONDS):
            with contextlib.suppress(OSError):  # a volume that fails for a moment shows in the download itself
                if self.is_held():
                    os.utime(self._path)

    def _seen(self) -> tuple[str, int]:
        """Owner and modification time."""
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
    """Whether the owner was a process of this host, such as this container's last one, and is no more."""
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
