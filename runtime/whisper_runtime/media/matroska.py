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
CLUSTER: Final = b"\x1f\x43\xb6\x75"
ELEMENTS: Final = {
    name[0]: name
    for name in (
        *(b"\xa3", b"\xa0", b"\xe7", b"\xab", b"\xa7", b"\xaf", b"\xec", b"\xbf", b"\x58\x54", CLUSTER),
        *(b"\x11\x4d\x9b\x74", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b", b"\x1c\x53\xbb\x6b"),
        *(b"\x12\x54\xc3\x67", b"\x10\x43\xa7\x70", b"\x19\x41\xa4\x69"),
    )
}
"""Names of all elements in a segment and in a cluster (RFC 9559, 5.1), by their first bytes, all of which differ."""
ELEMENTS_LIMIT: Final = 2_000_000
"""More than ten hours of what browsers write."""
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


def end_of_matroska(content: Content) -> tuple[int, bool] | None:
    """The byte behind all that follows each other from the beginning and is whole, segments, or elements of one without
    a size; and whether there begins one that is cut. None: it is no Matroska."""
    at = 0
    while HEADER.match(content, at):
        segment = content.find(SEGMENT, at, at + LONGEST_HEADER)
        begin = segment + len(SEGMENT)
        if segment < 0 or begin >= len(content):
            return at, True
        size = element_size(content[begin : begin + 8])
        end = _end_of_elements(content, begin) if size is None else begin + size
        if end > len(content):
            return at, True
        at = end
    return (at, False) if at else None


def _end_of_elements(content: Content, start: int) -> int:
    """Of a segment without a size, which begins with that at `start`: all elements in it, and in its clusters, have
    known names."""
    at = start + _length(content[start])
    for _ in range(ELEMENTS_LIMIT):
        name = ELEMENTS.get(content[at]) if at < len(content) else None
        begin = at + len(name or b"")
        size = element_size(content[begin : begin + 8])
        if size is None and name == CLUSTER and begin < len(content):
            size = _length(content[begin])
        if name is None or content[at:begin] != name or size is None or begin + size > len(content):
            break
        at = begin + size
    return at


def _length(first: int) -> int:
    """Bytes of a number that begins with this one."""
    return 9 - first.bit_length()


def element_size(begin: bytes) -> int | None:
    """Bytes from the number that begins there to the end of what it measures; None: it says that none is known."""
    if not begin or not begin[0] or UNKNOWN_SIZE.match(begin):
        return None
    length = _length(begin[0])
    number = int.from_bytes(begin[:length], "big")
    return length + (number & (1 << 7 * length) - 1)
