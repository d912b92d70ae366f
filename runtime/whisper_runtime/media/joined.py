"""Whether a file is several recordings, one behind the other, of which ffmpeg reads the first alone; pure.

Whoever joins the bytes of voice messages makes such files. Of MP3, Ogg, Matroska and others ffmpeg reads on; of AVI,
too, but in the first one's kind of samples.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from typing import Final

from whisper_runtime.media.beginnings import AVI, FORMS, begins_at, begins_within
from whisper_runtime.media.byte_search import Content
from whisper_runtime.media.container_end import End, end_of, samples_of
from whisper_runtime.media.frames import frames_of, title_size
from whisper_runtime.media.raw_audio import CONTAINER

AVI_FORM: Final = 16
"""Bytes of the form of samples (WAVEFORMAT), with the codec, the channels and the rate."""
SOUND_FORMS: Final = re.compile(rb"soun.*?stsd\0{4}(.{4})(.{4})(....)", re.DOTALL)
"""In an MP4's index, of an audio track: how many forms its samples have, and the first one's size and codec (ISO/IEC
14496-12, 8.5.2)."""
BOXES_LIMIT: Final = 1_000_000
WAV: Final = re.compile(rb"(?:RIFF|RIFX|RF64|BW64)....WAVE", re.DOTALL)
LONGEST_PAGE: Final = 64 * 1024
"""Bytes of a page, block or tag that may have been cut; longer units are searched by no one, for they hold a film."""
BEGIN: Final = 64 * 1024
"""Bytes in which frames begin, where a recording does with a part of one."""


def is_joined(content: Content) -> bool:
    """Whether a second recording of the same form begins in the file, which would be lost."""
    own = next((form for form in FORMS if form.begins(content, 0)), None)
    if own and not own.is_read_on:
        return own.first(content, 1, len(content)) is not None
    if own is AVI:
        other = AVI.first(content, 1, len(content))
        return other is not None and _avi_form(content, 0) != _avi_form(content, other)
    return content[4:8] == b"ftyp" and _is_joined_mp4(content)


def has_another_form(content: Content) -> bool:
    """Whether a recording of another form begins in bytes that are none of the first one's, which would be lost.

    They are what follows its units, or what is between its frames; of a form that tells neither, all bytes.
    """
    size = len(content)
    if end := end_of(content):
        return _begins_behind(content, end)
    title = title_size(lambda count, at: content[at : at + count])
    is_form = CONTAINER.match(content, title) is not None
    own = frames_of(content, title, searched=0 if is_form else BEGIN)
    if own and own.is_told:
        return any(
            begins_at(content, begin, end, own) or begins_within(content, last + 1, end, title, own)
            for last, begin, end in own.gaps(content, title)
        )
    return (is_form or own is not None) and begins_within(content, samples_of(content, title) + 1, size, title)


def _begins_behind(content: Content, end: End) -> bool:
    size = len(content)
    is_own = content[end.at : end.at + 4] == content[:4]
    if end.at in (0, size) or (end.is_cut and is_own):
        return False
    may_be_cut = end.at - end.last <= LONGEST_PAGE
    begins = begins_at(content, end.at, size)
    return begins or (not end.is_cut and begins_within(content, end.last + 1 if may_be_cut else end.at, size, 0))


def is_followed_by_another_form(content: Content, ends: Iterable[int]) -> bool:
    """Whether a recording of another form begins at one of these bytes, at which a WAV may end; another WAV is none."""
    places = (at for at in ends if not WAV.match(content, at))
    return any(begins_at(content, at, len(content)) for at in places)


def _avi_form(content: Content, start: int) -> bytes:
    """How the samples are of the first audio track in the AVI that begins there."""
    at = content.find(b"strf", max(start, content.find(b"auds", start)))
    return content[at + 8 : at + 8 + AVI_FORM]


def _is_joined_mp4(content: Content) -> bool:
    """Whether a second MP4 follows a whole one, or one has two codecs.

    Of fragments it must begin anew: streams repeat what precedes them.
    """
    at, has_index, has_fragments = 0, False, False
    for _ in range(BOXES_LIMIT):
        if at + 8 > len(content):
            break
        size, name = struct.unpack_from(">I4s", content, at)
        if size == 1 and at + 16 <= len(content):
            (size,) = struct.unpack_from(">Q", content, at + 8)
        if name == b"ftyp" and has_index and (not has_fragments or _begins_anew(content, at)):
            return True
        if name == b"moov" and _changes_codec(content[at : at + size]):
            return True
        if size < 8:
            break
        has_index, has_fragments = has_index or name == b"moov", has_fragments or name == b"moof"
        at += size
    return False


def _changes_codec(index: bytes) -> bool:
    """Whether an audio track has samples of two codecs, as where an editor joined clips: ffmpeg decodes all by one."""
    for found in SOUND_FORMS.finditer(index):
        count, size = struct.unpack(">II", found[1] + found[2])
        second = found.end() - 8 + size
        if count > 1 and index[second + 4 : second + 8] not in (found[3], b""):
            return True
    return False


def _begins_anew(content: Content, start: int) -> bool:
    """Whether what begins at `start` has no fragments (`mvex`, ISO/IEC 14496-12, 8.8.1), or the clock of its first one
    is 0 (`tfdt`, 8.8.12)."""
    index = content.find(b"moov", start)
    size = int.from_bytes(content[index - 4 : index], "big") if index >= 0 else 0
    if size and b"mvex" not in content[index : index + size]:
        return True
    clock = content.find(b"tfdt", start)
    long = content[clock + 4 : clock + 5] == b"\1"
    return clock >= 0 and not any(content[clock + 8 : clock + (16 if long else 12)])
