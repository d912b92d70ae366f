"""How long a file says that it is, and whether that is a promise; pure.

A file that was cut in the middle decodes without an error, and its text would end without a word of that. So what is
missing is told by the length in its header. Much of what is whole has none (what a program wrote into a pipe, a
browser's recording) or one that is only guessed; neither refuses anything.
"""

from __future__ import annotations

import re
import struct
from typing import Final

HEADER_LIMIT: Final = 64 * 1024
"""Bytes of a file in which its header is looked for."""
SLACK_SECONDS: Final = 1.0
SLACK_SHARE: Final = 0.02
"""What may be missing: the longer of the two. Encoders count their padding, and a last frame may be lost."""

UNCOMPRESSED: Final = frozenset({1, 3, 6, 7, 0xFFFE})
"""Kinds of WAV whose bytes are a length: integers, floats, A-law, μ-law, and `extensible`, which is the first two."""
UNKNOWN_SIZE: Final = 0x7FFF0000
"""From here on the size in a WAV's header stands for `not known yet`: ffmpeg, sox and arecord write 2 or 4 GB."""

DECLARED: Final = re.compile(rb"^  Duration: (\d+):(\d\d):(\d\d)\.", re.MULTILINE)
GUESSED: Final = b"Estimating duration from bitrate"
COUNTED: Final = re.compile(rb"^Input #0, (?:aiff|ape|au|flac|mp3|tak|tta|wv), ", re.MULTILINE)
"""Formats of one track without gaps: of those that hold a length, each second of it is a second of samples."""
ENDS_EARLY: Final = re.compile(rb"^\S.*(?:: partial file|File ended prematurely)", re.MULTILINE)
"""In other formats the length is that of the longest track, pauses included: it counts only once ffmpeg says this."""


def declared_seconds(report: bytes) -> float:
    """The length that ffmpeg's report shows; 0 where the file says nothing, or ffmpeg could only guess."""
    found = DECLARED.search(report)
    if found is None or GUESSED in report:
        return 0.0
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600.0 + minutes * 60 + seconds


def is_cut(promised: float, found: float) -> bool:
    """Whether a file of which `found` seconds could be decoded lacks a part of what its header promises."""
    return promised - found > max(SLACK_SECONDS, SLACK_SHARE * promised)


def promised_seconds(head: bytes, report: bytes) -> float:
    """The seconds of audio that a whole file would have, from its first bytes and ffmpeg's report; 0: not known."""
    counts = COUNTED.search(report) or ENDS_EARLY.search(report)
    return max(_wav_seconds(head), declared_seconds(report) if counts else 0.0)


def _wav_seconds(head: bytes) -> float:
    """By a WAV's own header, since ffmpeg goes by the file's size as soon as the two differ."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return 0.0
    at, rate = 12, 0
    while at + 22 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        if name == b"data":
            return size / rate if rate and size < UNKNOWN_SIZE else 0.0
        if name == b"fmt ":
            kind, _, samples, _, frame = struct.unpack_from("<HHIIH", head, at + 8)
            rate = samples * frame if kind in UNCOMPRESSED else 0
        at += 8 + size + size % 2
    return 0.0
