"""The length that a file declares, and whether the file was cut short of it; pure.

A file that was cut in the middle decodes without an error, and its text would end early without a hint. So the length
in its header shows whether audio is missing. Many whole files have none (written into a pipe, recorded by a browser) or
one that is only guessed; neither is refused.
"""

from __future__ import annotations

import re
from typing import Final

from whisper_runtime.media.ending import Ending
from whisper_runtime.media.wav import WavData

SLACK_SECONDS: Final = 1.0
SLACK_SHARE: Final = 0.02
"""The longer of the two may be missing: encoders count their padding, and a last frame may be lost."""

DECLARED: Final = re.compile(rb"^  Duration: (\d+):(\d\d):(\d\d)\..*\n", re.MULTILINE)
"""The whole line, which ffmpeg writes piece by piece: the clock's beginning counts, too."""
START: Final = re.compile(rb"^  Duration: .*, start: (-?\d+\.\d+)", re.MULTILINE)
GUESSED: Final = re.compile(rb"Estimating duration from bitrate|^Input #0, (?:mpeg|mpegts), ", re.MULTILINE)
"""The clock of a broadcast or a disc jumps where recordings were joined, and its length is that between two times."""
COUNTED: Final = re.compile(rb"^Input #0, (?:aiff|ape|au|flac|mp3|tak|tta|wv), ", re.MULTILINE)
"""Formats of one track without gaps: of those that hold a length, each second of it is a second of samples."""
COUNTS_FROM_ZERO: Final = re.compile(rb"^Input #0, (?:matroska,webm|ogg), ", re.MULTILINE)
"""Formats of which ffmpeg has the clock at the end, whatever that shows at the beginning: hours, where somebody came to
a radio station or a call that was going on."""
HAS_A_ZERO: Final = re.compile(rb"^Input #0, (?:asf|matroska,webm|mov,mp4,[^ ]*|nut), ", re.MULTILINE)
"""Formats whose times are from the file's beginning, as an MP4's edit list has them, and no receiver's clock."""
SHORT_DELAY: Final = 0.1
LONGEST_SILENCE: Final = 600
"""Seconds. Whatever begins later was recorded from the midst of a call or a broadcast."""
LEAST_BYTES: Final = 50
"""A second of sound: codecs of speech have some 80, and less in pauses. A length for which a file is smaller by this is
a number that stands for `not known yet`, or a wrong one."""
ENDS_EARLY: Final = re.compile(rb"^\S.*(?:: partial file|File ended prematurely)", re.MULTILINE)
"""In other formats the length is that of the longest track, pauses included: it counts only if ffmpeg logs this."""


def declared_seconds(report: bytes) -> float:
    """The length in seconds that ffmpeg's log shows; 0 where the file declares none, or ffmpeg could only guess."""
    start = first_time(report) if COUNTS_FROM_ZERO.search(report) else 0.0
    return max(0.0, _length(report) - max(0.0, start))


def _length(report: bytes) -> float:
    found = DECLARED.search(report)
    if found is None or GUESSED.search(report):
        return 0.0
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600.0 + minutes * 60 + seconds


def meant_seconds(report: bytes, size: int) -> float:
    """The same of a file of `size` bytes; 0 too where they cannot hold that length, of formats that count samples."""
    declared = declared_seconds(report)
    is_meant = declared * LEAST_BYTES <= size or not COUNTED.search(report)
    return declared if is_meant else 0.0


def first_time(report: bytes) -> float:
    """What the file's clock shows at its beginning, in seconds, by ffmpeg's log; 0 where that does not tell it."""
    found = START.search(report)
    return float(found[1]) if found else 0.0


def late_start(report: bytes) -> float:
    """Seconds from the file's zero to the beginning of its clock; 0: they are the same, or nothing tells its zero.

    A recorder that streams leaves out the length, and its clock may have begun with the call.
    """
    start = first_time(report)
    has_zero = HAS_A_ZERO.search(report) and _length(report)
    return start if has_zero and SHORT_DELAY <= start <= LONGEST_SILENCE else 0.0


def is_cut(promised: float, found: float) -> bool:
    """Whether a file of which `found` seconds could be decoded lacks a part of the `promised` ones."""
    return promised - found > max(SLACK_SECONDS, SLACK_SHARE * promised)


def promised_seconds(wav: WavData | None, ending: Ending, report: bytes) -> float:
    """The seconds of audio that the whole file has, by ffmpeg's log and a WAV's own header; 0: not known.

    The header counts, since ffmpeg uses the file's size as soon as the two differ.
    """
    counts = COUNTED.search(report) or ends_early(ending, report)
    return max(wav.seconds if wav else 0.0, declared_seconds(report) if counts else 0.0)


def ends_early(ending: Ending, report: bytes) -> bool:
    """Whether the file's end is missing, as its bytes or ffmpeg's log show."""
    return ending.is_abrupt or ending.lacks_bytes or ENDS_EARLY.search(report) is not None
