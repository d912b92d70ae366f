"""The track that ffmpeg has decoded, as its log tells it; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAPPED: Final = re.compile(rb"^  Stream #0:(\d{1,4}) -> #0:0 \((\w{1,32})", re.MULTILINE)
"""What a file says of itself is never the beginning of a line in the log, but behind more blanks."""
HEADER: Final = "X-Audio-Track"


@dataclass(frozen=True)
class TrackTaken:
    index: int
    """Among all of the file's streams."""
    codec: str
    """By ffmpeg's name."""
    layout: str | None = None
    """ffmpeg's word for its loudspeakers, as `stereo`, or `10 channels`; None: not known."""
    language: str | None = None
    """The tag in the file; None: it has none."""
    ends_early: bool = False
    """Whether the file's end is missing, so that there may have been more of it."""

    @property
    def header(self) -> str:
        """As an item with parameters (RFC 8941, 3.3)."""
        facts = {"codec": self.codec, "layout": self.layout, "language": self.language}
        known = (f'{name}="{fact}"' for name, fact in facts.items() if fact)
        return "; ".join((str(self.index), *known, *(("ends-early",) if self.ends_early else ())))


def track_taken(report: bytes) -> TrackTaken | None:
    """The track by ffmpeg's log; None: the log does not tell it."""
    if not (mapped := MAPPED.search(report)):
        return None
    index, codec = mapped[1].decode(), mapped[2].decode()
    line = rb"^  Stream #0:%b(?:\[\w+\])?(?:\(([A-Za-z0-9-]{1,16})\))?: Audio: (.*)$" % mapped[1]
    if not (described := re.search(line, report, re.MULTILINE)):
        return TrackTaken(int(index), codec)
    layout = re.search(rb" Hz, ([A-Za-z0-9.() ]{1,32})", described[2])
    language = described[1].decode() if described[1] and described[1] != b"und" else None
    return TrackTaken(int(index), codec, layout[1].decode() if layout else None, language)
