"""Where the sound of a program stream (VOB, MPEG-PS) goes on in another track, by its packets; pure.

It has no map of its tracks: ffmpeg decodes the first one that it meets, and whatever follows in another one, as where
recordings of two cameras or chapters of a disc were joined, is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from whisper_runtime.media.byte_search import Content, first_match

PACK: Final = re.compile(rb"\x00\x00\x01\xba")
"""With which the stream and each of its packs begin (ISO/IEC 13818-1, 2.5.3.3)."""
LONGEST_PACK: Final = 14
"""Bytes of a pack's header, and more than those of a packet up to its length."""
END: Final = 0xB9
MPEG_AUDIO: Final = range(0xC0, 0xE0)
"""Identifiers of streams."""
PRIVATE: Final = 0xBD
"""The stream in which discs have all other sound, and subtitles; the first byte of its packets says which track."""
MPEG_1_HEADER: Final = re.compile(rb"\xff*(?:[\x40-\x7f].)?(?:[\x20-\x2f].{4}|[\x30-\x3f].{9}|\x0f)", re.DOTALL)
"""Padding, the size of a buffer, and no times, one or two."""
LONGEST_HEADER: Final = 64
SOUND_IN_PRIVATE: Final = frozenset({*range(0x80, 0x90), *range(0x98, 0xA8), *range(0xB0, 0xD0)})
"""AC-3, DTS, PCM, TrueHD and E-AC-3 (libavformat/mpeg.c)."""
PAUSE: Final = 64
"""Packets of other tracks without one of a track, after which that one has ended: tracks that play side by side take
turns, packet by packet."""
PACKETS_LIMIT: Final = 4_000_000
"""Packets that are looked at: discs have one in each 2,048 bytes."""
SEARCHED_BACK: Final = 8 * 1024
"""Bytes before a packet in which its pack begins: most packs have 2,048."""


@dataclass
class _Stretch:
    """Packets of one track that follow each other without a pause."""

    first: int
    """Byte of its first packet in the file."""
    last: int
    count: int
    """The last packet's number among those of all tracks."""


def later_parts(content: Content) -> tuple[int, ...]:
    """The bytes at which a file is to be cut for all sound of a part to be in tracks that play side by side.

    Empty: it has one part, or is no program stream. A part begins with a track before which all others have ended.
    """
    stretches: list[_Stretch] = []
    newest: dict[tuple[int, int], _Stretch] = {}
    for number, (at, track) in enumerate(_sound(content)):
        known = newest.get(track)
        if known and number - known.count <= PAUSE:
            known.last, known.count = at, number
        else:
            newest[track] = _Stretch(at, at, number)
            stretches.append(newest[track])
    parts: list[int] = []
    end = -1
    for one in stretches:
        if 0 <= end < one.first:
            parts.append(_begin(content, one.first))
        end = max(end, one.last)
    return tuple(parts)


def _begin(content: Content, at: int) -> int:
    """Of the pack with the packet at that byte, for which the stream's clock is in it."""
    begin = content.rfind(b"\0\0\1\xba", max(0, at - SEARCHED_BACK), at)
    return at if begin < 0 else begin


def _sound(content: Content) -> Iterator[tuple[int, tuple[int, int]]]:
    """Each packet of sound: its byte, and its track. What is no packet is passed over to the next pack."""
    at = 0 if PACK.match(content) else len(content)
    for _ in range(PACKETS_LIMIT):
        if at + LONGEST_PACK > len(content):
            break
        if content[at : at + 3] != b"\0\0\1":
            pack = first_match(PACK, content, at)
            at = len(content) if pack is None else pack
            continue
        kind = content[at + 3]
        if track := _track(content, at):
            yield at, track
        at += _length(content, at, kind)


def _length(content: Content, at: int, kind: int) -> int:
    """Bytes of a pack's header, or of the packet that begins there."""
    if kind == 0xBA:
        return 14 + (content[at + 13] & 7) if content[at + 4] >> 6 == 1 else 12
    return 4 if kind <= END else 6 + int.from_bytes(content[at + 4 : at + 6], "big")


def _track(content: Content, at: int) -> tuple[int, int] | None:
    """Of the packet that begins there: its stream, and the track within it; None: it is no sound."""
    kind = content[at + 3]
    if kind in MPEG_AUDIO:
        return kind, 0
    if kind != PRIVATE:
        return None
    body = _body(content, at)
    track = content[body : body + 1]
    return (kind, track[0]) if track and track[0] in SOUND_IN_PRIVATE else None


def _body(content: Content, at: int) -> int:
    """Where the packet's header ends: MPEG-2's says its length, MPEG-1's (ISO/IEC 11172-1, 2.4.3.3) has parts."""
    header = content[at + 6 : at + 6 + LONGEST_HEADER]
    if len(header) > 2 and header[0] >> 6 == 2:
        return at + 9 + header[2]
    found = MPEG_1_HEADER.match(header)
    return at + 6 + (found.end() if found else 0)
