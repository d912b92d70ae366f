"""The length that a file declares, and whether the file was cut short of it; pure.

A file that was cut in the middle decodes without an error, and its text would end early without a hint. So the length
in its header shows whether audio is missing. Many whole files have none (written into a pipe, recorded by a browser) or
one that is only guessed; neither is refused.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
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
ROUND_SIZES: Final = (1_000_000, 2**20)
SMALLEST_ROUND: Final = 100_000_000
"""From here on a multiple of one of them stands for it, too, with or without the header's own bytes: programs that
stream speech write 1 or 2 billion, or 2**30."""
HEADER_SIZES: Final = (0, 8, 36, 44)
CHUNK_NAME: Final = re.compile(rb"[A-Za-z0-9_ -]{4}")

DECLARED: Final = re.compile(rb"^  Duration: (\d+):(\d\d):(\d\d)\.", re.MULTILINE)
GUESSED: Final = re.compile(rb"Estimating duration from bitrate|^Input #0, mpegts, ", re.MULTILINE)
"""A transport stream's clock jumps where recordings were joined, and its length is the difference of two times."""
COUNTED: Final = re.compile(rb"^Input #0, (?:aiff|ape|au|flac|mp3|tak|tta|wv), ", re.MULTILINE)
"""Formats of one track without gaps: of those that hold a length, each second of it is a second of samples."""
ENDS_EARLY: Final = re.compile(rb"^\S.*(?:: partial file|File ended prematurely)", re.MULTILINE)
"""In other formats the length is that of the longest track, pauses included: it counts only if ffmpeg logs this."""


def declared_seconds(report: bytes) -> float:
    """The length in seconds that ffmpeg's log shows; 0 where the file declares none, or ffmpeg could only guess."""
    found = DECLARED.search(report)
    if found is None or GUESSED.search(report):
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


@dataclass(frozen=True)
class _WavData:
    """Where a WAV's samples are, by its header."""

    at: int
    """Bytes before the first sample."""
    size: int
    bytes_per_second: int
    """0: of samples that are compressed."""


def wav_options(head: bytes, size: int, name_at: Callable[[int], bytes]) -> tuple[str, ...]:
    """ffmpeg's options for its input, by the first bytes of a file of `size` bytes.

    A WAV of which the header names a part alone is read to its end: a recorder that was switched off has not corrected
    it. What follows the samples as chunks of their own, such as LIST, is no sound. `name_at`: four bytes of the file.
    """
    data = _wav_data(head)
    if data is None or not data.bytes_per_second:
        return ()
    end = data.at + data.size + data.size % 2
    is_longer = size - end > SLACK_SECONDS * data.bytes_per_second
    return ("-f", "wav", "-ignore_length", "1") if is_longer and not CHUNK_NAME.fullmatch(name_at(end)) else ()


def _wav_seconds(head: bytes) -> float:
    """The seconds in a WAV's own header, since ffmpeg uses the file's size as soon as the two differ; 0: not known."""
    data = _wav_data(head)
    if data is None or not data.bytes_per_second or _is_placeholder(data.size):
        return 0.0
    return data.size / data.bytes_per_second


def _is_placeholder(size: int) -> bool:
    """Whether that size stands for `not known yet`."""
    sizes = [size + header for header in HEADER_SIZES]
    is_round = any(one % unit == 0 for one in sizes for unit in ROUND_SIZES)
    return size >= UNKNOWN_SIZE or (size >= SMALLEST_ROUND and is_round)


def _wav_data(head: bytes) -> _WavData | None:
    """None where `head` is not the beginning of a WAV, or has no samples in it yet."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, rate = 12, 0
    while at + 22 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        if name == b"data":
            return _WavData(at + 8, size, rate)
        if name == b"fmt ":
            kind, _, samples, _, frame = struct.unpack_from("<HHIIH", head, at + 8)
            rate = samples * frame if kind in UNCOMPRESSED else 0
        at += 8 + size + size % 2
    return None
