"""Searches a file's bytes without holding the interpreter for longer than a piece of them takes; pure."""

from __future__ import annotations

import mmap
import re
from typing import Final

PIECE: Final = 4 * 1024**2
LONGEST_MATCH: Final = 256
BYTES_PER_TRY: Final = 256
"""Of bytes that are searched, so many for each place at which something seems to begin: in a recording of another form
one in some two thousand looks like a frame's header. Where they are more, somebody made them so."""
TRIES_OF_ANY: Final = 1000
"""Beside these, for short stretches."""

Content = bytes | mmap.mmap


def first_match(pattern: re.Pattern[bytes], content: Content, start: int = 0) -> int | None:
    """Where the first match from `start` on begins, that has at most LONGEST_MATCH bytes; None: there is none."""
    for at in range(start, len(content), PIECE):
        if found := pattern.search(content, at, at + PIECE + LONGEST_MATCH):
            return found.start()
    return None


def tries(start: int, end: int) -> int:
    """How many such places between these bytes are looked at before the search is given up."""
    return TRIES_OF_ANY + (end - start) // BYTES_PER_TRY
