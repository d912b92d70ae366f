"""Where another recording begins in a Matroska or WebM that ffmpeg cannot read on into; pure.

Whoever joins the bytes of a browser's recordings has one file of several. ffmpeg reads on from one segment into the
next by the first one's tracks: a later one in another codec becomes noise, and after a segment without a size, as
browsers write them, one that has a size is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from whisper_runtime.media.byte_search import Content, first_match

HEADER: Final = re.compile(rb"\x1a\x45\xdf\xa3.{1,48}?\x42\x82.(?:matroska|webm)", re.DOTALL)
"""With which each recording begins, up to its kind (RFC 8794, 11.2.1)."""
SEGMENT: Final = b"\x18\x53\x80\x67"
LONGEST_HEADER: Final = 4096
"""Bytes before a segment."""
UNKNOWN_SIZE: Final = re.compile(rb"\xff|\x7f\xff|\x01\xff{7}", re.DOTALL)
"""As browsers and `ffmpeg -live 1` write it."""
TRACKS: Final = 64 * 1024
"""Bytes at the beginning of a segment in which it describes its tracks."""
CODEC: Final = re.compile(
    rb"\x86[\x80-\xbf](A_[A-Z0-9/_]+)(?:.{0,64}?\x63\xa2([\x81-\xbf]|[\x40-\x7f].)(.{1,30}))?", re.DOTALL
)
"""The codec of a track of sound; the size of what its decoder must know, and how that begins."""


@dataclass(frozen=True)
class _Recording:
    begin: int
    is_sized: bool
    codecs: tuple[tuple[bytes, bytes], ...]
    """Of each track of sound, and how that begins which its decoder must know."""


def later_parts(content: Content) -> tuple[int, ...]:
    """The bytes at which a file is to be cut for ffmpeg to read all of it; empty: it reads on by itself."""
    found = list(_recordings(content))
    goes_on = all(
        after.codecs == before.codecs and before.is_sized >= after.is_sized for before, after in pairwise(found)
    )
    return () if goes_on else tuple(recording.begin for recording in found[1:])


def _recordings(content: Content) -> Iterator[_Recording]:
    at: int | None = 0
    while at is not None and HEADER.match(content, at):
        segment = content.find(SEGMENT, at, at + LONGEST_HEADER)
        if segment < 0:
            break
        begin = segment + len(SEGMENT)
        size = element_size(content[begin : begin + 8])
        yield _Recording(at, size is not None, tuple(_codecs(content[begin : begin + TRACKS])))
        at = first_match(HEADER, content, begin) if size is None else begin + size


def _codecs(tracks: bytes) -> Iterator[tuple[bytes, bytes]]:
    for codec, size, known in CODEC.findall(tracks):
        yield codec, known[: size[0] & 0x3F] if len(size) == 1 else known


def element_size(begin: bytes) -> int | None:
    """Bytes from the number that begins there to the end of what it measures; None: it says that none is known."""
    if not begin or not begin[0] or UNKNOWN_SIZE.match(begin):
        return None
    length = 9 - begin[0].bit_length()
    number = int.from_bytes(begin[:length], "big")
    return length + (number & (1 << 7 * length) - 1)
