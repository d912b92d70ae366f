"""Whether a FLAC of unknown length ends within a frame; pure.

A FLAC that was written into a pipe does not say how many samples it has, and its frames do not say how long they are.
Each ends with a check of its bytes (RFC 9639, 9.3), which is right up to the end of a whole file, and of no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from whisper_runtime.media.frames import TAIL, title_size
from whisper_runtime.media.wav import ReadAt

SYNC: Final = re.compile(rb"\xff[\xf8\xf9][\x10-\xff][\x00-\xaf]")
"""How a frame begins, reserved sizes and layouts left out (RFC 9639, 9.1)."""
STARTS_TRIED: Final = 32
"""Of those in the tail, counted from the end: between two frames' there are few that are a chance."""
TITLE: Final = 128
"""Bytes of an ID3 of the first version, which some programs write behind the samples."""
MORE_OF_BLOCK: Final = {6: 1, 7: 2}
MORE_OF_RATE: Final = {12: 1, 13: 2, 14: 2}
"""Bytes that a header has more, by its codes for the block's size and the rate."""


def ends_within_a_flac_frame(read: ReadAt, size: int) -> bool:
    """False as well where the file says how many samples it has."""
    head = read(26, title_size(read))
    if len(head) < 26 or head[:4] != b"fLaC" or int.from_bytes(head[21:26], "big") & 0xFFFFFFFFF:
        return False
    tail = read(TAIL, max(0, size - TAIL))
    if tail[-TITLE:].startswith(b"TAG"):
        tail = tail[:-TITLE]
    starts = tuple(_starts(tail))[-STARTS_TRIED:]
    return bool(starts) and all(CRC_16.of(tail[start:]) for start in reversed(starts))


def _starts(tail: bytes) -> Iterator[int]:
    """Where frames begin, as the checks of their headers show."""
    for found in SYNC.finditer(tail):
        header = tail[found.start() : found.start() + 16]
        if len(header) == 16 and CRC_8.of(header[: _header_size(header)]) == 0:
            yield found.start()


def _header_size(header: bytes) -> int:
    """Bytes with the check: four, a number as long as its first byte says, as in UTF-8, and what the codes ask for."""
    of_number = 8 - (header[4] ^ 0xFF).bit_length()
    more = MORE_OF_BLOCK.get(header[2] >> 4, 0) + MORE_OF_RATE.get(header[2] & 0x0F, 0)
    return 4 + max(1, of_number) + more + 1


class Crc:
    """A cyclic redundancy check that begins with 0, most significant bit first; of what ends with its own, it is 0."""

    def __init__(self, bits: int, polynomial: int) -> None:
        self.shift, self.mask = bits - 8, (1 << bits) - 1
        self.remainders = tuple(self._remainder(byte << self.shift, polynomial) for byte in range(256))

    def of(self, content: bytes) -> int:
        check = 0
        for byte in content:
            check = (check << 8 & self.mask) ^ self.remainders[check >> self.shift ^ byte]
        return check

    def _remainder(self, value: int, polynomial: int) -> int:
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> self.shift + 7 else 0)
        return value & self.mask


CRC_8: Final = Crc(8, 0x107)
CRC_16: Final = Crc(16, 0x18005)
