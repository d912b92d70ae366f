"""Whether an Ogg is a chain of recordings, one behind the other (RFC 3533, 4); pure."""

from __future__ import annotations

import mmap
from typing import Final

CAPTURE: Final = b"OggS\0"
FIRST_PAGE: Final = 2
"""The flag of a page with which a stream begins: the first pages of all streams come before any other page."""


def is_chain(content: bytes | mmap.mmap) -> bool:
    """Whether a stream begins after the pages of others.

    So do radio stations that tell a new title, and whoever joins voice messages. Each begins its clock anew, and ffmpeg
    (5.1) makes times of both that are wrong by a page or, where the rate changes, by a factor.
    """
    if content[: len(CAPTURE)] != CAPTURE:
        return False
    at = 0
    while 0 <= at < len(content) - 5 and content[at + 5] & FIRST_PAGE:
        at = content.find(CAPTURE, at + len(CAPTURE))
    return at > 0 and content.find(CAPTURE + bytes([FIRST_PAGE]), at) > 0
