"""Frames without a container: whether they begin somewhere, and whether a stream of them ends within one; pure.

Frames without a container say how long each is, and nothing says how many there are: of a recording that was cut the
last frame alone shows it, whose header promises more bytes than follow. A cut between two frames leaves no trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from whisper_runtime.media.byte_search import PIECE, Content, tries
from whisper_runtime.media.wav import ReadAt

TAIL: Final = 128 * 1024
"""Bytes at the end of a file that are looked at: eight frames of the longest kind."""
CHAIN: Final = 5
"""Frames that must follow each other before one is believed: each kind's first bytes also occur by chance."""
LONG_CHAIN: Final = 40
"""The same in the midst of a file, for containers have some frames one right behind the other: a second of most."""
FRAMES_LIMIT: Final = 2_000_000
"""Frames of a stream that are followed: more than ten hours of most kinds."""
GAPS_LIMIT: Final = 1000
"""Stretches between frames that are told apart."""
TITLES_LIMIT: Final = 100
"""One behind the other, as programs leave them that write their own before another one's."""
LONGEST_BEGIN: Final = 256
"""Bytes of how a file of frames begins."""
LAYERS_1: Final = {
    3: tuple(range(32, 449, 32)),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
"""kbit/s of MPEG-1's Layers I, II and III by the header's two bits for them (ISO/IEC 11172-3, 2.4.2.3)."""
LAYERS_2: Final = {
    3: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    1: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of MPEG-2 and 2.5 (ISO/IEC 13818-3, 2.4.2.3)."""
MPEG_RATES: Final = (44_100, 48_000, 32_000)
AC3_RATES: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
"""kbit/s by half of the header's code for the frame's size (ETSI TS 102 366, table 4.13)."""
EAC3: Final = range(11, 17)
"""Versions of the bit stream whose frames have their size in the header (annex E)."""
GSM_FRAME: Final = 33
"""Bytes."""
ALL_GSM: Final = re.compile(rb"[\xd0-\xdf]{2,}")


@dataclass(frozen=True)
class FrameKind:
    name: str
    """ffmpeg reads on from one kind into another of the same name."""
    begin: re.Pattern[bytes]
    """How a file of such frames begins, and so do all or some of the frames."""
    header: int
    """Bytes that say a frame's length."""
    length: Callable[[bytes], int]
    """Bytes of the frame with this header; 0: it is none, or cut."""
    mark: re.Pattern[bytes]
    """The same from the first byte on that is fixed, for that is found faster."""
    before_mark: int = 0
    is_told: bool = True
    """Whether a header tells a frame from other bytes."""

    def is_cut(self, tail: bytes) -> bool:
        """Whether the last frame of a file, which ends in `tail`, goes beyond its end."""
        at, chain, first = self._next(tail, 0), 0, -1
        while at < len(tail):
            if length := self.length(tail[at : at + self.header]):
                first, at, chain = tail[at], at + length, chain + 1
            elif chain >= CHAIN and at + self.header > len(tail):
                return tail[at] == first
            else:
                at, chain = self._next(tail, at + 1), 0
        return chain > CHAIN and at > len(tail)

    def is_chain(self, content: Content, start: int, frames: int) -> bool:
        """Whether so many frames begin at that byte, one right behind the other."""
        return self._chain(content, start, frames) == frames

    def _chain(self, content: Content, start: int, frames: int) -> int:
        """How many, and no more than so many, frames do."""
        at = start
        for number in range(frames if self.begin.match(content, start) else 0):
            if not (length := self.length(content[at : at + self.header])):
                return number
            at += length
        return frames if at > start else 0

    def gaps(self, content: Content, start: int) -> Iterator[tuple[int, int, int]]:
        """Bytes from `start` on that belong to no frame: where each stretch begins and ends, and before these where the
        frame begins behind which it is, for that may be cut. What follows FRAMES_LIMIT frames, or GAPS_LIMIT others, is
        one."""
        at = last = start
        gaps = 0
        for _ in range(FRAMES_LIMIT):
            if at >= len(content):
                return
            if gaps == GAPS_LIMIT:
                break
            if length := self.length(content[at : at + self.header]):
                last, at = at, at + length
            else:
                end = self.next_chain(content, at, len(content))
                yield last, at, end
                at = last = end
                gaps += 1
        yield last, at, len(content)

    def next_chain(self, content: Content, start: int, end: int, frames: int = CHAIN) -> int:
        """Where so many frames begin, from `start` on and before `end`; `end`: nowhere, or too many headers of frames
        that are none were read."""
        at, left = start, tries(start, end)
        while at < end and left > 0:
            found = self.mark.search(content, at + self.before_mark, min(end, at + PIECE) + LONGEST_BEGIN)
            place = found.start() - self.before_mark if found else at + PIECE
            if found:
                number = self._chain(content, place, frames)
                if number == frames:
                    return min(end, place)
                left -= 1 + number
            at = place + 1
        return end

    def _next(self, tail: bytes, start: int) -> int:
        found = self.begin.search(tail, start)
        return found.start() if found else len(tail)


def ends_within_a_frame(read: ReadAt, size: int) -> bool:
    """Of a file of `size` bytes, a title before its frames left out of account."""
    head = read(512, title_size(read))
    kind = next((kind for kind in KINDS if kind.begin.match(head)), None)
    return kind is not None and kind.is_cut(read(TAIL, max(0, size - TAIL)))


def frames_of(content: Content, start: int, searched: int) -> FrameKind | None:
    """The kind of frames of which a stream begins at that byte, or within so many of it; None: no stream does."""
    if kind := next((kind for kind in KINDS if kind.is_chain(content, start, CHAIN)), None):
        return kind
    end = min(len(content), start + searched)
    first, number = min((kind.next_chain(content, start, end, LONG_CHAIN), number) for number, kind in enumerate(KINDS))
    return KINDS[number] if first < end else None


def title_size(read: ReadAt) -> int:
    """Bytes of the titles (ID3, version 2) with which a file begins, of whose sizes seven bits of each byte count."""
    at = 0
    for _ in range(TITLES_LIMIT):
        head = read(10, at)
        if len(head) < 10 or head[:3] != b"ID3":
            break
        at += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    return at


def _of_adts(header: bytes) -> int:
    """MPEG-4's AAC (ISO/IEC 13818-7, 6.2)."""
    if len(header) < 6 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length >= 7 else 0


def _of_mpeg(header: bytes) -> int:
    """Layers I, II and III, if the header names a bit rate."""
    if len(header) < 3 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer, code, rate = header[1] >> 3 & 3, header[1] >> 1 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 0 or not 0 < code < 15 or rate == 3:
        return 0
    samples = MPEG_RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    bits, padding = 1000 * (LAYERS_1 if version == 3 else LAYERS_2)[layer][code - 1], header[2] >> 1 & 1
    if layer == 3:
        return 4 * (12 * bits // samples + padding)
    return (72 if layer == 1 and version != 3 else 144) * bits // samples + padding


def _of_ac3(header: bytes) -> int:
    if len(header) < 6 or header[:2] != b"\x0b\x77":
        return 0
    if header[5] >> 3 in EAC3:
        return 2 * ((header[2] & 7) << 8 | header[3]) + 2
    rate, code = header[4] >> 6, header[4] & 0x3F
    if rate == 3 or code >= 2 * len(AC3_RATES):
        return 0
    bits = AC3_RATES[code // 2]
    return (4 * bits, 2 * (bits * 320 // 147 + code % 2), 6 * bits)[rate]


def _of_dts(header: bytes) -> int:
    """The core alone, in its usual order of bytes (ETSI TS 102 114, 5.3)."""
    if len(header) < 8 or header[:4] != b"\x7f\xfe\x80\x01":
        return 0
    return ((header[5] & 3) << 12 | header[6] << 4 | header[7] >> 4) + 1


def _of_loas(header: bytes) -> int:
    """LATM with its own sync (ISO/IEC 14496-3, 1.7.2)."""
    if len(header) < 3 or header[0] != 0x56 or header[1] & 0xE0 != 0xE0:
        return 0
    return ((header[1] & 0x1F) << 8 | header[2]) + 3


def _of_truehd(header: bytes) -> int:
    """Access units, of which only some have a sync."""
    return ((header[0] & 0x0F) << 8 | header[1]) * 2 if len(header) == 2 else 0


def _of_gsm(header: bytes) -> int:
    """A telephone's GSM 06.10 (RFC 3551, 4.5.8.1), whose frames begin with 1101; in A-law's silence all bytes do."""
    return GSM_FRAME if header[:1] and header[0] >> 4 == 0b1101 and not ALL_GSM.fullmatch(header) else 0


def _of_ts(header: bytes) -> int:
    return 188 if header == b"G" else 0


def _of_m2ts(header: bytes) -> int:
    """A transport stream's packet behind four bytes of a clock, as discs and camcorders have it."""
    return 192 if header[4:] == b"G" else 0


def _of_corrected(header: bytes) -> int:
    """One with the 16 bytes behind it by which a receiver corrects it."""
    return 204 if header == b"G" else 0


def _of_program(header: bytes) -> int:
    """A program stream's packets (ISO/IEC 13818-1, 2.5.3), and those of MPEG-1."""
    if header[:3] != b"\0\0\1" or len(header) < 4:
        return 0
    if header[3] == 0xB9:
        return 4
    if header[3] == 0xBA and len(header) == 14:
        return 14 + (header[13] & 7) if header[4] >> 6 == 1 else 12
    return 6 + int.from_bytes(header[4:6], "big") if header[3] > 0xBA and len(header) >= 6 else 0


def _kind(
    name: str, mark: bytes, header: int, length: Callable[[bytes], int], before_mark: int = 0, *, is_told: bool = True
) -> FrameKind:
    begin = re.compile(b".{%d}" % before_mark + mark, re.DOTALL)
    return FrameKind(name, begin, header, length, re.compile(mark, re.DOTALL), before_mark, is_told)


KINDS: Final = (
    _kind("aac", rb"\xff[\xf0\xf1\xf8\xf9]", 6, _of_adts),
    _kind("mp3", rb"\xff[\xe2-\xff]", 3, _of_mpeg),
    _kind("ac3", rb"\x0b\x77", 6, _of_ac3),
    _kind("dts", rb"\x7f\xfe\x80\x01", 8, _of_dts),
    _kind("loas", rb"\x56[\xe0-\xff]", 3, _of_loas),
    _kind("truehd", rb"\xf8\x72\x6f[\xba\xbb]", 2, _of_truehd, before_mark=4, is_told=False),
    _kind("gsm", rb"[\xd0-\xdf](?:.{32}[\xd0-\xdf]){6}", GSM_FRAME, _of_gsm),
    _kind("mpegts", rb"G.{187}G", 1, _of_ts),
    _kind("mpegts", rb"G.{191}G", 5, _of_m2ts, before_mark=4),
    _kind("mpegts", rb"G.{203}G", 1, _of_corrected),
    _kind("mpeg", rb"\x00\x00\x01\xba", 14, _of_program),
)
"""AAC, MP3 and its kin, AC-3 and E-AC-3, DTS, LATM, TrueHD, GSM, and the streams of broadcasts and discs."""
