"""WavPack's blocks, each of which says how long it is (WavPack 4 & 5 file format); pure."""

from __future__ import annotations

import struct
from typing import Final

from whisper_runtime.media.wav import ReadAt

BLOCKS_LIMIT: Final = 1_000_000


def ends_within_a_block(read: ReadAt, size: int) -> bool:
    """Whether the last block of a file of `size` bytes goes beyond its end."""
    at = 0
    for _ in range(BLOCKS_LIMIT):
        header = read(8, at)
        if len(header) < 8 or header[:4] != b"wvpk":
            break
        at += 8 + struct.unpack_from("<I", header, 4)[0]
    return at > size
