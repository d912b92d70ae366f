"""Where a recording ends by its own sizes, for another one may begin there; pure."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from whisper_runtime.media.byte_search import Content
from whisper_runtime.media.matroska import end_of_matroska
from whisper_runtime.media.wav import is_placeholder

UNITS_LIMIT: Final = 1_000_000
"""Boxes, chunks or blocks that are looked at."""
LONGEST_HEADER_OF_A_UNIT: Final = 27 + 255
"""An Ogg page's, which says how long the page is."""
TO_THE_END: Final = 2**62
MP4: Final = (b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
CAF_HEADER: Final = 8
FLV_TAGS: Final = frozenset({8, 9, 18})
"""Sound, picture and notes."""
ASF_OBJECTS: Final = frozenset(
    bytes.fromhex(name)
    for name in ("a6d900aa0062ce6c", "89f400a0c90349cb", "903400a0c90349be", "840f2a1d2f7ad48c", "953dedf7b6228f0c")
)
"""How the names of those of the first level end: header and samples, and four kinds of index."""

Unit = Callable[[bytes], int]
"""Bytes of a unit by those with which it begins; 0: none begins there."""


class End(NamedTuple):
    last: int
    """Where the last unit begins that has all its bytes: those of another recording are among them, if it was cut."""
    at: int
    """The byte behind it."""
    is_cut: bool
    """Whether there begins one that goes beyond the file's end, or has no size."""


def end_of(content: Content) -> End | None:
    """None where its form is not one of units with sizes."""
    if end := end_of_matroska(content):
        return End(end[0], *end)
    head = content[:8]
    unit = _box if head[4:] in MP4 else next((unit for begin, unit in UNITS.items() if head.startswith(begin)), None)
    if unit is None:
        return None
    at, size = CAF_HEADER if unit is _caf_chunk else 0, 0
    last = at
    for _ in range(UNITS_LIMIT):
        size = unit(content[at : at + LONGEST_HEADER_OF_A_UNIT])
        if size <= 0 or at + size > len(content):
            break
        last, at = at, at + size
    return End(last, at, size > 0 and at < len(content))


def samples_of(content: Content, start: int) -> int:
    """The byte behind the header of a FLAC or an APE that begins at `start`, `start` itself of any other form.

    Nothing else tells where these end, and their headers keep that of the AIFF, W64 or WAV that they were made of.
    """
    if content[start : start + 4] == b"MAC ":
        # Descriptor, header, seek table and the kept header: libavformat/ape.c of FFmpeg.
        return start + sum(struct.unpack("<4I", content[start + 8 : start + 24].ljust(16, b"\0")))
    if content[start : start + 4] != b"fLaC":
        return start
    at = start + 4
    for _ in range(UNITS_LIMIT):  # metadata blocks: RFC 9639, 8.1
        block = content[at : at + 4]
        at += 4 + int.from_bytes(block[1:], "big")
        if len(block) < 4 or block[0] & 0x80:
            break
    return min(at, len(content))


def _box(begin: bytes) -> int:
    """MP4 (ISO/IEC 14496-12, 4.2); one without a size goes to the file's end."""
    if len(begin) < 16 or not begin[4:8].isalnum():
        return 0
    size, _, long = struct.unpack(">I4sQ", begin[:16])
    return long if size == 1 else size if size >= 8 else TO_THE_END


def _riff(begin: bytes) -> int:
    """AVI, which may go on in more of them, and QCP; of a WAV, which begins one, more is known (wav.py)."""
    return _chunk(int.from_bytes(begin[4:8], "little")) if begin[:4] == b"RIFF" and begin[8:12] != b"WAVE" else 0


def _form(begin: bytes) -> int:
    """AIFF and 8SVX."""
    return _chunk(int.from_bytes(begin[4:8], "big")) if begin[:4] == b"FORM" else 0


def _chunk(size: int) -> int:
    """One whose size is not known goes to the file's end."""
    return TO_THE_END if size == 0 or is_placeholder(size) else 8 + size + size % 2


def _caf_chunk(begin: bytes) -> int:
    return 12 + int.from_bytes(begin[4:12], "big") if begin[:4].isalnum() and begin[:4].islower() else 0


def _asf_object(begin: bytes) -> int:
    """A GUID, and a size that counts both."""
    return int.from_bytes(begin[16:24], "little") if begin[8:16] in ASF_OBJECTS else 0


def _wavpack_block(begin: bytes) -> int:
    """Or the title behind them."""
    if begin[:8] == b"APETAGEX":
        return 32 + int.from_bytes(begin[12:16], "little")
    return 8 + int.from_bytes(begin[4:8], "little") if begin[:4] == b"wvpk" else 0


def _snd(begin: bytes) -> int:
    """AU, whose header has its own size and that of the samples."""
    return sum(struct.unpack(">II", begin[4:12])) if begin[:4] == b".snd" and len(begin) >= 12 else 0


def _ogg_page(begin: bytes) -> int:
    """RFC 3533, 6."""
    if begin[:4] != b"OggS" or len(begin) < 27 or len(begin) < 27 + begin[26]:
        return 0
    return 27 + begin[26] + sum(begin[27 : 27 + begin[26]])


def _flv_tag(begin: bytes) -> int:
    """Or the header before them; behind each is its size once more."""
    if begin[:4] == b"FLV\1":
        return int.from_bytes(begin[5:9], "big") + 4
    is_tag = len(begin) > 11 and begin[0] & 0x1F in FLV_TAGS and not any(begin[8:11])
    return 11 + int.from_bytes(begin[1:4], "big") + 4 if is_tag else 0


def _wide_riff(begin: bytes) -> int:
    """W64, whose size is that of the file."""
    return (int.from_bytes(begin[16:24], "little") or TO_THE_END) if begin[:4] == b"riff" else 0


UNITS: Final[Mapping[bytes, Unit]] = {
    b"RIFF": _riff,
    b"FORM": _form,
    b"caff": _caf_chunk,
    b"\x30\x26\xb2\x75": _asf_object,
    b"wvpk": _wavpack_block,
    b"OggS": _ogg_page,
    b".snd": _snd,
    b"FLV\1": _flv_tag,
    b"riff": _wide_riff,
}
"""By how the file begins."""
