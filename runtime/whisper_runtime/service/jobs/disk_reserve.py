"""Disk that a store keeps back: on a full one nothing could be deleted, for SQLite writes before it frees."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 1024**2
"""What some hundred transactions write to SQLite's log; the log begins anew at four times that."""


class DiskReserve:
    """A file of RESERVE_BYTES beside the store. Every method blocks."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def hold(self) -> None:
        """Takes the reserve, unless it is there; on a full disk there is none."""
        with suppress(OSError), self._path.open("ab") as file:
            if file.tell() < RESERVE_BYTES:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)

    def release(self) -> bool:
        """Gives the reserve to the store; returns whether there was any."""
        try:
            held = self._path.stat().st_size > 0
            self._path.unlink()
        except FileNotFoundError:
            return False
        return held
