"""Whether an Ogg is a chain of recordings, one behind the other (RFC 3533, 4); pure."""

from __future__ import annotations

import re
from typing import Final

from whisper_runtime.media.byte_search import Content, first_match

LATER_PAGE: Final = re.compile(rb"OggS\0[\0\1\4\5]")
FIRST_PAGE: Final = re.compile(rb"OggS\0[\2\6]")
"""By the flag of a page with which a stream begins: the first pages of all streams come before any other page."""


def is_chain(content: Content) -> bool:
    """Whether a stream begins after the pages of others.

    So do radio stations that tell a new title, and whoever joins voice messages. Each begins its clock anew, and ffmpeg
    (5.1) makes times of both that are wrong by a page or, where the rate changes, by a factor.
    """
    if not FIRST_PAGE.match(content):
        return False
    later = first_match(LATER_PAGE, content)
    return later is not None and first_match(FIRST_PAGE, content, later) is not None
