"""Whether a file is several recordings, one behind the other, of which ffmpeg reads the first alone; pure.

Whoever joins the bytes of voice messages makes such files. Of MP3, Ogg, Matroska and others ffmpeg reads on; of AVI,
too, but in the first one's kind of samples.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from whisper_runtime.media.byte_search import PIECE, Content, first_match
from whisper_runtime.media.container_end import end_of
from whisper_runtime.media.frames import begins_with_frames, title_size
from whisper_runtime.media.matroska import HEADER
from whisper_runtime.media.wav import ReadAt

FIRST_OF_CHANNELS: Final = b"[%b]" % b"".join(rb"\x%02x-\x%02x" % (low, low + 7) for low in range(8, 256, 16))
"""A byte of a WavPack block's flags, in which the fourth bit is set."""
BEGINNINGS: Final = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rb"caff\0\x01..desc\0{7}\x20",
        rb"FORM....(?:AIF[FC]|8SVX)[ -~]{4}\0",
        rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0",
        rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",
        rb"FLV\x01[\x01\x04\x05]\0\0\0\x09\0{4}",
        rb"\.RMF\0\0\0\x12\0[\0\x01]",
        rb"Creative Voice File\x1a\x1a\0",
        rb"TTA1[\x01\x02]\0[\x01-\x08]\0[\x08-\x20]\0",
        rb"\xb7\xd8\x00\x20\x37\x49\xda\x11\xa6\x4e\x00\x07\xe9\x5e\xad\x8d",
        rb"DSD \x1c\0{7}.{8}.{8}fmt ",
        rb"wvpk.{4}[\x02-\x10]\x04\0.{5}\0{4}(?!\0{4}).{5}" + FIRST_OF_CHANNELS,
    )
)
"""CAF, AIFF and 8SVX, W64, ASF, FLV, RealMedia, VOC, TTA, WTV, DSF and WavPack: a match is no chance, even in a large
file. Of WavPack, whose blocks all begin alike, it is the block with the first samples of the first channels."""
AVI: Final = re.compile(rb"RIFF....AVI LIST....hdrl", re.DOTALL)
"""The beginning of one; of its later parts it is `AVIX`."""
AVI_FORM: Final = 16
"""Bytes of the form of samples (WAVEFORMAT), with the codec, the channels and the rate."""
SOUND_FORMS: Final = re.compile(rb"soun.*?stsd\0{4}(.{4})(.{4})(....)", re.DOTALL)
"""In an MP4's index, of an audio track: how many forms its samples have, and the first one's size and codec (ISO/IEC
14496-12, 8.5.2)."""
BOXES_LIMIT: Final = 1_000_000
OTHER_FORM: Final = re.compile(
    rb"OggS\x00\x02|\.snd\0\0|fLaC\x00|\x1a\x45\xdf\xa3|ID3[\x02-\x04]\x00|....ftyp|RIFF....(?:AVI |QLCM)|#!AMR",
    re.DOTALL,
)
"""How a recording begins that is no WAV, beside BEGINNINGS: of MP3, the title before it."""
LONGEST_BEGINNING: Final = 64
"""Bytes."""
WAV: Final = re.compile(rb"RIFF....WAVE", re.DOTALL)
IN_A_STREAM: Final = {
    b"RIFF": re.compile(rb"RIFF....(?:WAVEfmt |AVI LIST)", re.DOTALL),
    b"OggS": re.compile(rb"OggS\0[\2\6]\0{8}"),
    b"fLaC": re.compile(rb"fLaC\0\0\0\x22"),
    b"\x1a\x45\xdf\xa3": HEADER,
    b"ftyp": re.compile(rb"ftyp(?:M4[AB] |isom|iso\d|mp4\d|qt  |3gp\d|dash)"),
    b"caff": BEGINNINGS[0],
    b"FORM": BEGINNINGS[1],
    b"\x30\x26\xb2\x75": BEGINNINGS[3],
    b"FLV\1": BEGINNINGS[4],
    b"wvpk": BEGINNINGS[10],
}
"""How a recording of another form begins within a stream of frames or packets, whose own end nothing tells: each has so
many bytes that it is no chance. By those that are searched for."""


def is_joined(content: Content) -> bool:
    """Whether a second recording of the same form begins in the file, which would be lost."""
    for beginning in BEGINNINGS:
        if beginning.match(content):
            return first_match(beginning, content, 1) is not None
    if AVI.match(content):
        other = first_match(AVI, content, 1)
        return other is not None and _avi_form(content, 0) != _avi_form(content, other)
    return content[4:8] == b"ftyp" and _is_joined_mp4(content)


def has_another_form(content: Content) -> bool:
    """Whether a recording of another form begins behind the first one, or within a stream, which would be lost."""

    def read(count: int, at: int) -> bytes:
        return content[at : at + count]

    if (end := end_of(content)) is not None:
        is_cut = content[end : end + 4] == content[:4]  # within a unit of its own
        is_wav = end > 0 and WAV.match(content, end) is not None
        return is_wav or (not is_cut and is_followed_by_another_form(read, end, len(content)))
    title = title_size(read)
    own = content[title : title + 4]
    if own not in (b"fLaC", b"FLV\1") and not begins_with_frames(read, title):
        return False
    return any(_begins_later(content, title, begin, form) for begin, form in IN_A_STREAM.items() if begin != own)


def _begins_later(content: Content, title: int, begin: bytes, form: re.Pattern[bytes]) -> bool:
    """Whether a recording of that form begins behind the title and the file's own first bytes."""
    at = title + len(begin)
    while at < len(content):
        found = content.find(begin, at, at + PIECE)
        if found >= 0 and form.match(content, found):
            return True
        at = found + 1 if found >= 0 else at + PIECE - len(begin)
    return False


def is_followed_by_another_form(read: ReadAt, end: int, size: int) -> bool:
    """Whether behind a WAV's samples, which end at `end` of the file's `size` bytes, one of another form begins.

    Its bytes would be taken for samples, or left out. A title at the end of the file is none.
    """
    head = read(LONGEST_BEGINNING, end)
    begins = any(beginning.match(head) for beginning in (OTHER_FORM, *BEGINNINGS)) or begins_with_frames(read, end)
    return begins and end + title_size(lambda count, at: read(count, end + at)) < size


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
    """Whether the clock of the first fragment from `start` on is 0 (`tfdt`, ISO/IEC 14496-12, 8.8.12)."""
    clock = content.find(b"tfdt", start)
    long = content[clock + 4 : clock + 5] == b"\1"
    return clock >= 0 and not any(content[clock + 8 : clock + (16 if long else 12)])
