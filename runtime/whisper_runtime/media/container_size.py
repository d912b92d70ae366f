"""Up to which byte a file's own sizes say that its sound goes, in containers of which ffmpeg does not ask them; pure.

ffmpeg reads a file to its end, whatever its sizes are, and computes the length of many from the bytes that are there.
Where the file ends before the size in its header does, the rest of the recording is missing. A size that stands for
`not known yet` promises nothing: programs that write into a pipe, or were switched off, leave them so.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from typing import Final

from whisper_runtime.media.wav import ReadAt, is_placeholder, wav_data

CHUNKS_LIMIT: Final = 1000
"""Chunks, objects or boxes that are looked at: a film has a dozen of them."""
LARGEST: Final = 2**40
"""From here on a size of 64 bits stands for `not known yet`."""
FIRST: Final = 64 * 1024
"""Bytes in which an FLV has what it says of itself."""

LONGEST_INDEX: Final = 2**20
"""Bytes of an MP4's, which has at most 65,535 entries of 12."""
WIDE_GUID: Final = 24
"""Bytes of a chunk's header in a W64: a GUID, and a size that counts them."""
ASF_DATA: Final = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
ASF_FILE: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
ASF_BROADCAST: Final = 1
"""The flag of a file that was sent while it was written, whose sizes mean nothing."""
FLV_SIZE: Final = re.compile(rb"\0\x08filesize\0(.{8})", re.DOTALL | re.IGNORECASE)
"""A number in AMF0, by the name that ffmpeg, OBS and the tools that index FLVs give it."""
REAL_DATA: Final = b"DATA"


def promised_bytes(read: ReadAt) -> int:
    """Bytes of the file up to the end of its samples, as its header promises; 0: it does not."""
    head = read(16, 0)
    reader = next((reader for begin, reader in READERS.items() if re.match(begin, head, re.DOTALL)), None)
    promised = reader(read) if reader else 0
    return promised if promised < LARGEST else 0


def _of_wav(read: ReadAt) -> int:
    data = wav_data(read)
    return data.at + data.size if data and data.is_size_known else 0


def _of_riff(read: ReadAt) -> int:
    """AVI, whose later parts are RIFFs of their own (OpenDML), and QCP: the end of the last chunk with samples."""
    at, end = 0, 0
    for _ in range(CHUNKS_LIMIT):
        header = read(12, at)
        if len(header) < 12:
            break
        name, size, kind = struct.unpack("<4sI4s", header)
        if (name == b"LIST" and kind == b"movi") or name == b"data":
            end = at + 8 + size
            if is_placeholder(size) or size <= 4:
                return 0
        is_entered = name == b"RIFF"
        at += 12 if is_entered else 8 + size + size % 2
    return end


def _of_caf(read: ReadAt) -> int:
    """Apple's Core Audio Format: chunks of a name and a signed size of 64 bits."""
    at = 8
    for _ in range(CHUNKS_LIMIT):
        header = read(12, at)
        if len(header) < 12:
            break
        name, size = struct.unpack(">4sq", header)
        if name == b"data" or not 0 <= size < LARGEST:
            return at + 12 + size if size > 0 else 0
        at += 12 + size
    return 0


def _of_w64(read: ReadAt) -> int:
    at = 40
    for _ in range(CHUNKS_LIMIT):
        header = read(WIDE_GUID, at)
        if len(header) < WIDE_GUID:
            break
        name, size = struct.unpack("<4s12xQ", header)
        if name == b"data" or not WIDE_GUID <= size < LARGEST:
            return at + size if size > WIDE_GUID else 0
        at += (size + 7) // 8 * 8
    return 0


def _of_asf(read: ReadAt) -> int:
    """WMA and WMV: the data object, which follows the header object (ASF specification, 5.1)."""
    (size,) = struct.unpack("<16xQ", read(24, 0).ljust(24, b"\0"))
    data = read(24, size) if size < LARGEST else b""
    header = read(min(size, FIRST), 0)
    at = header.find(ASF_FILE)
    if len(data) < 24 or data[:16] != ASF_DATA or at < 0 or len(header) < at + 92:
        return 0
    (flags,) = struct.unpack_from("<I", header, at + 88)
    (of_data,) = struct.unpack_from("<Q", data, 16)
    return 0 if flags & ASF_BROADCAST or not of_data else size + of_data


def _of_flv(read: ReadAt) -> int:
    found = FLV_SIZE.search(read(FIRST, 0))
    (size,) = struct.unpack(">d", found[1]) if found else (0.0,)
    return int(size) if 0 < size < LARGEST else 0


def _of_real(read: ReadAt) -> int:
    """RealMedia: chunks of a name and a size of 32 bits, which counts both."""
    at = 0
    for _ in range(CHUNKS_LIMIT):
        header = read(8, at)
        if len(header) < 8:
            break
        name, size = struct.unpack(">4sI", header)
        if name == REAL_DATA or size < 8:
            return at + size if size > 18 and not is_placeholder(size) else 0
        at += size
    return 0


def _of_mxf(read: ReadAt) -> int:
    """The first partition names where the footer lies, which comes last (SMPTE ST 377-1, 7.1)."""
    header = read(64, 0)
    if len(header) < 64:
        return 0
    length = 1 + (header[16] & 0x7F if header[16] & 0x80 else 0)
    (footer,) = struct.unpack_from(">Q", header, 16 + length + 24)
    return footer


def _of_dsf(read: ReadAt) -> int:
    """The header has the file's size, in which a title may follow the samples, and where that begins."""
    size, title = struct.unpack("<12x2Q", read(28, 0).ljust(28, b"\0"))
    return title or size


def _of_mp4(read: ReadAt) -> int:
    """Of fragments that an index precedes (`sidx`, ISO/IEC 14496-12, 8.16.3): the end of the last one."""
    at = 0
    for _ in range(CHUNKS_LIMIT):
        size, name = struct.unpack(">I4s", read(8, at).ljust(8, b"\0"))
        if name == b"sidx":
            return at + size + _of_index(read(min(size, LONGEST_INDEX), at))
        if size < 8 or name in (b"moof", b"mdat"):
            break
        at += size
    return 0


def _of_index(box: bytes) -> int:
    """Bytes behind an index, up to the end of all that it names."""
    width, long = (8, "Q") if box[8:9] == b"\1" else (4, "I")
    entries = 24 + 2 * width
    if len(box) < entries:
        return 0
    first, count = struct.unpack_from(f">{long}2xH", box, 20 + width)
    whole = entries + (len(box) - entries) // 12 * 12
    sizes = [size & 0x7FFFFFFF for (size,) in struct.iter_unpack(">I8x", box[entries:whole])]
    return first + sum(sizes[:count])


READERS: Final[Mapping[bytes, Callable[[ReadAt], int]]] = {
    rb"(?:RIFF|RF64|BW64|RIFX)....WAVE": _of_wav,
    rb"RIFF....(?:AVI |QLCM)": _of_riff,
    rb"caff": _of_caf,
    rb"riff\x2e\x91\xcf\x11": _of_w64,
    rb"\x30\x26\xb2\x75": _of_asf,
    rb"FLV\x01": _of_flv,
    rb"\.RMF": _of_real,
    rb"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02": _of_mxf,
    rb"DSD ": _of_dsf,
    rb"....(?:ftyp|styp|moov)": _of_mp4,
}
"""By how the file begins."""
