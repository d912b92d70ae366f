"""What the header of a WAV says of its samples: RIFF, its 64-bit forms RF64 and BW64, and RIFX; pure.

Sizes of 64 bits are in the chunk `ds64` (EBU Tech 3306, ITU-R BS.2088).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

ReadAt = Callable[[int, int], bytes]
"""So many bytes of the file, the first argument, from a position on, the second; fewer where it ends."""

EXTENSIBLE: Final = 0xFFFE
LONGEST_FORM: Final = 40
"""Bytes of the chunk `fmt ` that are read, which `extensible` has."""
UNCOMPRESSED: Final = frozenset({1, 3, 6, 7, EXTENSIBLE})
"""WAV formats whose bytes give a length: integers, floats, A-law, μ-law, and `extensible` that does not say which."""
MPEG_FRAMES: Final = frozenset({0x50, 0x55})
"""WAV formats whose samples are frames with a header each: MP3 and its kin."""
UNKNOWN_SIZE: Final = 0x7FFF0000
"""From here on a size of 32 bits stands for `not known yet`: ffmpeg, sox and arecord write 2 or 4 GB."""
ROUND_SIZES: Final = (1_000_000, 2**20)
SMALLEST_ROUND: Final = 100_000_000
"""From here on a multiple of one of them stands for it, too, with or without the header's own bytes: programs that
stream speech write 1 or 2 billion, or 2**30."""
HEADER_SIZES: Final = (0, 8, 36, 44)
CHUNK_NAME: Final = re.compile(rb"[A-Za-z0-9_ -]{4}")
CHUNKS_LIMIT: Final = 1000
"""Chunks before the samples: recorders and editors write a dozen."""
CLICKS_PER_SECOND: Final = 10
"""That would fill one: the longest click is a tenth."""
READ_ON: Final = ("-f", "wav", "-ignore_length", "1")
BYTE_ORDERS: Final = {b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"RIFX": ">"}
"""By the file's first bytes."""
LONG: Final = (b"RF64", b"BW64")


@dataclass(frozen=True)
class WavForm:
    """One kind of samples."""

    code: int = 0
    """1: integers; 3: floats; others are RFC 2361's."""
    channels: int = 0
    rate: int = 0
    frame: int = 1
    """Bytes of one sample of all channels."""
    bits: int = 0
    """Of one sample, those that are not used included."""
    byte_order: str = "<"
    valid_bits: int = 0
    """Of one sample, as `extensible` has it; 0: it says nothing."""

    @property
    def bytes_per_second(self) -> int:
        """0: of samples that are compressed."""
        return self.rate * self.frame if self.code in UNCOMPRESSED else 0

    @property
    def decoder(self) -> tuple[str, ...]:
        """ffmpeg's options where it takes the samples for others.

        Those of RIFX it takes for little-endian ones. Of integers whose lowest bits are not used it asks the used ones
        alone how many there are, and takes 24 of 32 for floats of an old program's (libavformat/wavdec.c).
        """
        letter = {1: "s", 3: "f"}.get(self.code)
        if letter is None or self.bits <= 8:
            return ()
        if self.byte_order == ">":
            return ("-c:a", f"pcm_{letter}{self.bits}be")
        return ("-c:a", f"pcm_s{self.bits}le") if letter == "s" and 0 < self.valid_bits < self.bits else ()


@dataclass(frozen=True)
class WavData:
    """Where a WAV's samples are, by its header."""

    at: int
    """Bytes before the first sample."""
    size: int
    is_size_known: bool
    """Whether it is meant as the size, and stands for no `not known yet`."""
    form: WavForm

    @property
    def end(self) -> int:
        """Bytes before what follows the samples."""
        return self.at + self.size + self.size % 2

    @property
    def seconds(self) -> float:
        """As the header promises; 0: not known."""
        return self.size / self.form.bytes_per_second if self.is_size_known and self.form.bytes_per_second else 0.0


class JoinedWavs(Exception):
    """Behind one WAV another one begins, which cannot be read on with it."""


def wav_data(read: ReadAt, start: int = 0) -> WavData | None:
    """None where no WAV begins at `start`, or it has no samples in it yet."""
    kind = read(12, start)
    order = BYTE_ORDERS.get(kind[:4])
    if order is None or kind[8:12] != b"WAVE":
        return None
    at, form, long_size = start + 12, WavForm(), None
    for _ in range(CHUNKS_LIMIT):
        chunk = read(24, at)
        if len(chunk) < 8:
            break
        name, size = struct.unpack_from(f"{order}4sI", chunk)
        if name == b"data" and long_size is not None:
            return WavData(at + 8, long_size, long_size > 0, form)
        if name == b"data":
            return WavData(at + 8, size, not is_placeholder(size), form)
        if len(chunk) == 24 and name == b"ds64" and kind[:4] in LONG:
            long_size = struct.unpack_from("<Q", chunk, 16)[0]
        if len(chunk) == 24 and name == b"fmt ":
            form = _form(chunk[8:], read(min(size, LONGEST_FORM), at + 8), order)
        at += 8 + size + size % 2
    return None


def _form(begin: bytes, chunk: bytes, order: str) -> WavForm:
    """By the chunk `fmt `, which begins with what all kinds have; `extensible` names the kind behind it."""
    code, channels, rate, _, frame, bits = struct.unpack(f"{order}HHIIHH", begin)
    valid = 0
    if code == EXTENSIBLE and len(chunk) == LONGEST_FORM:
        valid, code = struct.unpack_from(f"{order}2xH4xH", chunk, 16)
    return WavForm(code, channels, rate, frame, bits, order, valid)


def goes_on_in_frames(data: WavData, read: ReadAt) -> bool:
    """Whether more frames follow those that the header names."""
    return data.form.code in MPEG_FRAMES and data.size > 0 and read(1, data.end) == b"\xff"


def ends(data: WavData, read: ReadAt, size: int) -> Iterator[int]:
    """The byte behind the samples, and behind each chunk that follows them, in a WAV of `size` bytes: each is where
    another recording may begin."""
    at = data.end
    for _ in range(CHUNKS_LIMIT):
        if at >= size:
            break
        yield at
        name, length = struct.unpack(f"{data.form.byte_order}4sI", read(8, at).ljust(8, b"\0"))
        if not CHUNK_NAME.fullmatch(name) or name in BYTE_ORDERS:
            break
        at += 8 + length + length % 2


def wav_options(data: WavData, size: int, read: ReadAt) -> tuple[str, ...]:
    """ffmpeg's options for its input, for a WAV of `size` bytes.

    One of which the header names a part alone is read to its end: a recorder that was switched off has not corrected
    it, and clients join files by their bytes. What follows the samples as chunks of their own, such as LIST, is no
    sound; of more samples ffmpeg would read the last ones alone. Raises JoinedWavs.
    """
    if goes_on_in_frames(data, read):
        return READ_ON
    after = next((found for at in ends(data, read, size) if (found := wav_data(read, at))), None)
    if after and not _is_read_on(data, after):
        raise JoinedWavs
    if after:
        return READ_ON
    if not data.form.bytes_per_second or size - data.end <= data.form.bytes_per_second:
        return ()
    name = read(4, data.end)
    if name == b"data":
        raise JoinedWavs
    return () if CHUNK_NAME.fullmatch(name) else READ_ON


def _is_read_on(data: WavData, after: WavData) -> bool:
    """Whether samples can be read on into the next WAV's: what is between them is a click."""
    between = after.at - data.end
    is_short = between * CLICKS_PER_SECOND <= data.form.bytes_per_second
    return after.form == data.form and is_short and (after.at - data.at) % data.form.frame == 0


def is_placeholder(size: int) -> bool:
    """Whether that size stands for `not known yet`."""
    sizes = [size + header for header in HEADER_SIZES]
    is_round = any(one % unit == 0 for one in sizes for unit in ROUND_SIZES)
    return size >= UNKNOWN_SIZE or (size >= SMALLEST_ROUND and is_round)
