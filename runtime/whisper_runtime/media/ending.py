"""Whether a file ends before it should, by its bytes alone: its own sizes, and the unit in which it ends; pure.

A recording that was cut in the middle decodes without an error, to a part of its text.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from whisper_runtime.media.container_size import promised_bytes
from whisper_runtime.media.flac_frames import ends_within_a_flac_frame
from whisper_runtime.media.frames import ends_within_a_frame
from whisper_runtime.media.wav import ReadAt
from whisper_runtime.media.wavpack import ends_within_a_block

LONGEST_PAGE: Final = 27 + 255 + 255 * 255
"""Bytes of an Ogg's page (RFC 3533, 6)."""
FLV_TAGS: Final = {8, 9, 18}
"""Sound, picture and notes."""
NUT_INDEX: Final = bytes.fromhex("4e58dd672f23e64e")
SLACK: Final = 32
"""Bytes that may be missing: writers differ in whether a size counts its own header."""
UNITS_LIMIT: Final = 1_000_000
"""Boxes, blocks or frames that are looked at."""
AMR_NARROW: Final = dict(enumerate((13, 14, 16, 18, 20, 21, 27, 32, 6)))
AMR_WIDE: Final = dict(enumerate((18, 24, 33, 37, 41, 47, 51, 59, 61, 6)))
"""Bytes of a frame by its mode; one of any other mode has one."""


@dataclass(frozen=True)
class Ending:
    size: int = 0
    """Bytes of the file."""
    promised_bytes: int = 0
    """As container_size.promised_bytes has it."""
    is_abrupt: bool = False
    """Whether it ends within a page, tag, fragment, block or frame, or lacks what its writers put last."""

    @property
    def lacks_bytes(self) -> bool:
        return self.promised_bytes > self.size + SLACK

    def promised_seconds(self, found: float) -> float:
        """Of audio in the whole file, if `found` seconds are in the part that is there; 0: no bytes are missing."""
        return found * self.promised_bytes / self.size if self.lacks_bytes and self.size else 0.0


NOT_KNOWN: Final = Ending()


def ending_of(read: ReadAt, size: int) -> Ending:
    """Of a file of `size` bytes."""
    head = read(8, 0)
    abrupt = next((found for begin, found in ENDINGS.items() if head.startswith(begin)), None)
    if abrupt is None and head[4:] in (b"ftyp", b"styp"):
        abrupt = _of_mp4
    return Ending(size, promised_bytes(read), (abrupt or _of_frames)(read, size))


def _of_frames(read: ReadAt, size: int) -> bool:
    return ends_within_a_frame(read, size) or ends_within_a_flac_frame(read, size)


def _of_ogg(read: ReadAt, size: int) -> bool:
    """Whether the last page goes beyond the end."""
    tail = read(LONGEST_PAGE, max(0, size - LONGEST_PAGE))
    page = tail[tail.rfind(b"OggS") :] if b"OggS" in tail else b""
    if not page:
        return False
    lengths = page[27 : 27 + page[26]] if len(page) > 26 else b""
    return len(page) < 27 or len(lengths) < page[26] or len(page) < 27 + len(lengths) + sum(lengths)


def _of_flv(read: ReadAt, size: int) -> bool:
    """Whether no tag ends where the file does: behind each its length is repeated, but some programs write 0."""
    (length,) = struct.unpack(">I", read(4, size - 4))
    tag = read(4, size - 4 - length) if 11 <= length < size - 4 else b"\0\0\0\0"
    is_whole = tag[0] & 0x1F in FLV_TAGS and int.from_bytes(tag[1:], "big") + 11 == length
    return length > 0 and not is_whole


def _of_nut(read: ReadAt, size: int) -> bool:
    """Whether the index is missing, which ffmpeg writes last (nut.txt, `index`)."""
    (back,) = struct.unpack(">Q", read(8, max(0, size - 12)).rjust(8, b"\0"))
    return not 0 < back <= size or read(8, size - back) != NUT_INDEX


def _of_voc(read: ReadAt, size: int) -> bool:
    """Whether the last block goes beyond the end: a block is a type, a size of three bytes, and samples."""
    at = 26
    for _ in range(UNITS_LIMIT):
        header = read(4, at)
        if len(header) < 4 or header[0] == 0:
            return False
        at += 4 + int.from_bytes(header[1:], "little")
        if at > size + SLACK:
            return True
    return False


def _of_dv(read: ReadAt, size: int) -> bool:
    """Whether the last frame goes beyond the end: those of 25 pictures a second have 144,000 bytes, of 30 120,000."""
    return size % (144_000 if read(1, 3) >= b"\x80" else 120_000) > 0


def _of_amr(read: ReadAt, size: int) -> bool:
    """Whether the last frame goes beyond the end: the first byte of each says its mode (RFC 4867, 5.3)."""
    wide = read(9, 0) == b"#!AMR-WB\n"
    lengths, at = (AMR_WIDE, 9) if wide else (AMR_NARROW, 6)
    for _ in range(UNITS_LIMIT):
        mode = read(1, at)
        if not mode:
            return at > size
        at += lengths.get(mode[0] >> 3 & 0x0F, 1)
    return False


def _of_mp4(read: ReadAt, size: int) -> bool:
    """Whether the last box of a fragment goes beyond the end."""
    at = 0
    for _ in range(UNITS_LIMIT):
        header = read(16, at)
        if len(header) < 8:
            return False
        of_box, name = struct.unpack_from(">I4s", header)
        if of_box == 1 and len(header) == 16:
            (of_box,) = struct.unpack_from(">Q", header, 8)
        if of_box < 8 or at + of_box > size:
            return of_box >= 8 and name in (b"moof", b"mdat")
        at += of_box
    return False


ENDINGS: Final[Mapping[bytes, Callable[[ReadAt, int], bool]]] = {
    b"OggS": _of_ogg,
    b"FLV\1": _of_flv,
    b"nut/": _of_nut,
    b"Creative": _of_voc,
    b"wvpk": ends_within_a_block,
    b"#!AMR\n": _of_amr,
    b"#!AMR-WB": _of_amr,
    b"\x1f\x07\0": _of_dv,
}
"""By how the file begins."""
