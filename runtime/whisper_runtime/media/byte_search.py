"""Searches a file's bytes without holding the interpreter for longer than a piece of them takes; pure."""

from __future__ import annotations

import mmap
import re
from typing import Final

PIECE: Final = 4 * 1024**2
LONGEST_MATCH: Final = 256

Content = bytes | mmap.mmap


def first_match(pattern: re.Pattern[bytes], content: Content, start: int = 0) -> int | None:
    """Where the first match from `start` on begins, that has at most LONGEST_MATCH bytes; None: there is none."""
    for at in range(start, len(content), PIECE):
        if found := pattern.search(content, at, at + PIECE + LONGEST_MATCH):
            return found.start()
    return None
