"""Where a transport stream's sound goes on in another track, as its program maps say (ISO/IEC 13818-1, 2.4.4.8); pure.

A broadcast changes the PID of its sound between two programs, and joined recordings have each their own. ffmpeg decodes
the first track alone, and whatever follows in another one is lost without a word in its log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from whisper_runtime.media.byte_search import PIECE, Content

PACKET: Final = 188
STREAM: Final = re.compile(rb"G(.{187}(?:.{4}|.{16})?)G.{187}(?:.{4}|.{16})?G", re.DOTALL)
"""Three of its packets, with four bytes of a clock before each, sixteen of a correction behind each, or alone."""
BEGIN: Final = 64 * 1024
"""Bytes in which there are such: a recording may begin within a packet, or behind something else."""
PROGRAM_MAP: Final = re.compile(rb"G[\x40-\x5f].[\x10-\x1f]\0\x02[\xb0-\xb3]", re.DOTALL)
"""A packet that begins with a section that is a program map."""
SECTION: Final = 5
"""Bytes before it."""
PROGRAMS: Final = b"G\x40\0"
"""The packet that says in which PID a program's map is, which comes before it."""
SEARCHED_BACK: Final = 64 * PACKET
FIRST_STREAM: Final = 12
"""Bytes of a map before its streams, of the program's own descriptors left out."""
CHECK: Final = 4
PACKETS_OF_A_MAP: Final = 1000
"""Packets in which one that is longer than a packet ends, with those of pictures and sound between its own."""
SOUND: Final = frozenset({0x03, 0x04, 0x0F, 0x11, 0x1C, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x8A, 0xA1})
"""Types of streams: MPEG's, AAC, LATM, and what discs and ATSC have for PCM, AC-3, E-AC-3, DTS and TrueHD."""
PRIVATE: Final = 0x06
NO_SOUND: Final = frozenset({0x45, 0x46, 0x56, 0x59})
"""Descriptors of private streams that are teletext or subtitles (ETSI EN 300 468, 6.2); the others may be sound."""


@dataclass(frozen=True)
class ProgramMap:
    at: int
    """Byte of its packet in the file."""
    program: tuple[int, int]
    """PID of the map, and number of the program."""
    sound: frozenset[tuple[int, int]]
    """PID and type of each audio track."""


def later_parts(content: Content) -> tuple[int, ...]:
    """The bytes at which a file is to be cut for each part to have one set of audio tracks; empty: it has one.

    A new part begins where a program loses a track and has another, or where another program follows the last packet of
    all before it.
    """
    stream = STREAM.search(content, 0, BEGIN)
    if stream is None:
        return ()
    maps = tuple(one for one in _maps(content, 1 + len(stream[1])) if one.sound)
    last = {one.program: one.at for one in maps}
    before: dict[tuple[int, int], frozenset[tuple[int, int]]] = {}
    parts: list[int] = []
    for one in maps:
        is_alone = bool(before) and one.program not in before and all(last[program] < one.at for program in before)
        if is_alone or before.get(one.program, one.sound) - one.sound:
            parts.append(_begin(content, one.at))
        before[one.program] = one.sound
    return tuple(parts)


def _begin(content: Content, at: int) -> int:
    """Of the part with a map at that byte: the packet before it that says where the map is."""
    begin = content.rfind(PROGRAMS, max(0, at - SEARCHED_BACK), at)
    return at if begin < 0 else begin


def _maps(content: Content, step: int) -> Iterator[ProgramMap]:
    """All of them: they are repeated some ten times a second. `step`: bytes from a packet to the next one."""
    for at in _matches(content):
        if section := _section(content, at, step):
            pid = int.from_bytes(content[at + 1 : at + 3], "big") & 0x1FFF
            yield ProgramMap(at, (pid, int.from_bytes(section[3:5], "big")), _sound(section))


def _matches(content: Content) -> Iterator[int]:
    for piece in range(0, len(content), PIECE):
        for found in PROGRAM_MAP.finditer(content, piece, piece + PIECE + PACKET):
            if found.start() < piece + PIECE:
                yield found.start()


def _section(content: Content, at: int, step: int) -> bytes | None:
    """The program map that begins in the packet at that byte, with its check; None: it is not in force yet, or not
    whole."""
    section = content[at + SECTION : at + PACKET]
    size = 3 + (int.from_bytes(section[1:3], "big") & 0x0FFF)
    if len(section) < FIRST_STREAM + CHECK or size < FIRST_STREAM + CHECK or not section[5] & 1:
        return None
    if size > len(section):
        section += _rest(content, at, step, size - len(section))
    return section[:size] if len(section) >= size else None


def _rest(content: Content, at: int, step: int, size: int) -> bytes:
    """So many bytes of a section, in the packets of its PID behind the first one; fewer where one of them is lost.

    Each has a count, and a flag where a section begins in it.
    """
    pid, count, rest = content[at + 1] & 0x1F, content[at + 3] & 0x0F, b""
    own = re.compile(b"G[\\x%02x\\x%02x]\\x%02x[\x10-\x1f\x30-\x3f]" % (pid, 0x40 | pid, content[at + 2]))
    for packet in range(at + step, min(at + step * PACKETS_OF_A_MAP, len(content) - PACKET + 1), step):
        if not own.match(content, packet):
            continue
        count = count + 1 & 0x0F
        if content[packet + 1] & 0x40 or content[packet + 3] & 0x0F != count:
            break
        padding = 1 + content[packet + 4] if content[packet + 3] & 0x20 else 0
        rest += content[packet + 4 + padding : packet + PACKET]
        if len(rest) >= size:
            break
    return rest


def _sound(section: bytes) -> frozenset[tuple[int, int]]:
    at = FIRST_STREAM + (int.from_bytes(section[10:12], "big") & 0x0FFF)
    found: set[tuple[int, int]] = set()
    while at + 5 <= len(section) - CHECK:
        kind, pid = section[at], int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF
        size = int.from_bytes(section[at + 3 : at + 5], "big") & 0x0FFF
        if kind in SOUND or (kind == PRIVATE and _may_be_sound(section[at + 5 : at + 5 + size])):
            found.add((pid, kind))
        at += 5 + size
    return frozenset(found)


def _may_be_sound(descriptors: bytes) -> bool:
    at = 0
    while at + 2 <= len(descriptors):
        if descriptors[at] in NO_SOUND:
            return False
        at += 2 + descriptors[at + 1]
    return True
