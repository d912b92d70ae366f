"""The length that a file declares, and whether the file was cut short of it; pure.

A file that was cut in the middle decodes without an error, and its text would end early without a hint. So the length
in its header shows whether audio is missing. Many whole files have none (written into a pipe, recorded by a browser) or
one that is only guessed; neither is refused.
"""

from __future__ import annotations

import re
import struct
from typing import Final

HEADER_LIMIT: Final = 64 * 1024
"""Bytes of a file that are searched for its header."""
SLACK_SECONDS: Final = 1.0
SLACK_SHARE: Final = 0.02
"""The longer of the two may be missing: encoders count their padding, and a last frame may be lost."""

UNCOMPRESSED: Final = frozenset({1, 3, 6, 7, 0xFFFE})
"""WAV formats whose bytes give a length: integers, floats, A-law, μ-law, and `extensible`, which is the first two."""
UNKNOWN_SIZE: Final = 0x7FFF0000
"""From here on the size in a WAV's header stands for `not known yet`: ffmpeg, sox and arecord write 2 or 4 GB."""

DECLARED: Final = re.compile(rb"^  Duration: (\d+):(\d\d):(\d\d)\.", re.MULTILINE)
GUESSED: Final = b"Estimating duration from bitrate"
COUNTED: Final = re.compile(rb"^Input #0, (?:aiff|ape|au|flac|mp3|tak|tta|wv), ", re.MULTILINE)
"""Formats of one track without gaps: of those that hold a length, each second of it is a second of samples."""
ENDS_EARLY: Final = re.compile(rb"^\S.*(?:: partial file|File ended prematurely)", re.MULTILINE)
"""In other formats the length is that of the longest track, pauses included: it counts only if ffmpeg logs this."""


def declared_seconds(report: bytes) -> float:
    """The length in seconds that ffmpeg's log shows; 0 where the file declares none, or ffmpeg could only guess."""
    found = DECLARED.search(report)
    if found is None or GUESSED in report:
        return 0.0
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600.0 + minutes * 60 + seconds


def is_cut(promised: float, found: float) -> bool:
    """Whether a file of which `found` seconds could be decoded lacks a part of the `promised` ones."""
    return promised - found > max(SLACK_SECONDS, SLACK_SHARE * promised)


def promised_seconds(head: bytes, report: bytes) -> float:
    """The seconds of audio that the whole file has, by its first bytes and ffmpeg's log; 0: not known."""
    counts = COUNTED.search(report) or ENDS_EARLY.search(report)
    return max(_wav_seconds(head), declared_seconds(report) if counts else 0.0)


def _wav_seconds(head: bytes) -> float:
    """The seconds in a WAV's own header, since ffmpeg uses the file's size as soon as the two differ; 0: not known."""
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
