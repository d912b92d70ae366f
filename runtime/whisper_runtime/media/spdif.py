"""Whether the samples of a WAV are compressed sound for a receiver (IEC 61937, S/PDIF) that ffmpeg takes for PCM; pure.

Capture cards and players record such bursts as if they were samples: read as PCM they are noise, in which Whisper finds
words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from whisper_runtime.media.byte_search import Content, first_match

CODECS: Final[Mapping[int, str]] = {
    1: "AC-3",
    4: "MPEG-1",
    5: "MP3",
    6: "MPEG-2",
    7: "AAC",
    11: "DTS",
    12: "DTS",
    13: "DTS",
    14: "ATRAC",
    15: "ATRAC",
    17: "DTS-HD",
    18: "WMA Pro",
    21: "E-AC-3",
    22: "TrueHD",
}
"""By a burst's data type (IEC 61937-2)."""
READ_BY_FFMPEG: Final = frozenset({1, 4, 5, 6, 7, 11, 12, 13})
"""Where a WAV begins with them (libavformat/spdifdec.c, spdif_get_offset_and_codec)."""
PROBED: Final = 64 * 1024
"""Bytes from the first sample on, in which ffmpeg looks for bursts (libavformat/wavdec.c, set_spdif)."""
KINDS: Final = b"[%b]" % b"".join(b"\\x%02x" % one for one in CODECS)
FIRST: Final = re.compile(rb"\x72\xf8\x1f\x4e" + KINDS + rb"[\0-\x1f]", re.DOTALL)
"""The sync words Pa and Pb, and the data type, in samples of 16 bits with the low byte first."""
BURST: Final = re.compile(rb"\0{8}" + FIRST.pattern, re.DOTALL)
"""The same behind silence, or behind what fills the time of the burst before it."""


def unread_codec(content: Content, start: int) -> str | None:
    """The codec in samples that begin at `start`, by its usual name; None: they are PCM, or ffmpeg reads them."""
    at = start if FIRST.match(content, start) else first_match(BURST, content, start)
    if at is None:
        return None
    sync = content.find(b"\x72\xf8\x1f\x4e", at)
    kind = content[sync + 4]
    return None if kind in READ_BY_FFMPEG and sync < start + PROBED else CODECS[kind]
