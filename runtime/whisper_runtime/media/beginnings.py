"""How recordings begin, of any form: at a place where one may, or anywhere in bytes that belong to none; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from whisper_runtime.media.byte_search import PIECE, Content, tries
from whisper_runtime.media.frames import CHAIN, KINDS, LONG_CHAIN, FrameKind, title_size
from whisper_runtime.media.matroska import HEADER
from whisper_runtime.media.wav import is_placeholder

FIRST_OF_CHANNELS: Final = b"[%b]" % b"".join(rb"\x%02x-\x%02x" % (low, low + 7) for low in range(8, 256, 16))
"""A byte of a WavPack block's flags, in which the fourth bit is set."""


@dataclass(frozen=True)
class Beginning:
    """Of one form: so many of its bytes are fixed that a match is no chance, even in a large file."""

    literal: bytes
    """What is searched for, for that is faster."""
    pattern: re.Pattern[bytes]
    before: int = 0
    """Bytes of the pattern before the literal."""
    is_read_on: bool = True
    """Whether ffmpeg goes on from one recording of the form into the next."""
    is_kept: bool = False
    """Whether other forms keep its header, of what they were made of, without its samples."""

    def begins(self, content: Content, at: int) -> bool:
        return at >= 0 and self.pattern.match(content, at) is not None

    def first(self, content: Content, start: int, end: int) -> int | None:
        """Where the first one begins from `start` on, its literal before `end`; None: there is none, or too many others
        have its literal."""
        left = tries(start, end)
        for piece in range(start + self.before, end, PIECE):
            at, limit = piece, min(end, piece + PIECE + len(self.literal) - 1)
            while (found := content.find(self.literal, at, limit)) >= 0:
                place = found - self.before
                if self.begins(content, place) and not (self.is_kept and _lacks_samples(content, place)):
                    return place
                at, left = found + 1, left - 1
                if left <= 0:
                    return None
        return None


def _lacks_samples(content: Content, riff: int) -> bool:
    """Whether the RIFF that begins there is longer than what is left of the file, and its size meant."""
    size = int.from_bytes(content[riff + 4 : riff + 8], "little")
    return riff + size > len(content) and not is_placeholder(size)


def _beginning(literal: bytes, pattern: bytes, before: int = 0, *, is_read_on: bool = True) -> Beginning:
    return Beginning(literal, re.compile(pattern, re.DOTALL), before, is_read_on)


def _alone(literal: bytes, pattern: bytes) -> Beginning:
    return _beginning(literal, pattern, is_read_on=False)


MP4: Final = _beginning(b"ftyp", rb"\0\0[\0-\x03].ftyp(?!heic|mif1|avif)[ -~]{4}", 4)
AVI: Final = _beginning(b"RIFF", rb"RIFF....AVI LIST....hdrl")
"""Of its later parts it is `AVIX`."""
FORMS: Final = (
    _alone(b"caff", rb"caff\0\x01..desc\0{7}\x20"),
    _alone(b"FORM", rb"FORM....(?:AIF[FC]|8SVX)[ -~]{4}\0"),
    _alone(b"riff\x2e\x91", rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0"),
    _alone(b"\x30\x26\xb2\x75", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"),
    _alone(b"FLV\x01", rb"FLV\x01[\x01\x04\x05]\0\0\0\x09\0{4}"),
    _alone(b".RMF\0\0\0", rb"\.RMF\0\0\0\x12\0[\0\x01]"),
    _alone(b"Creative Voice", rb"Creative Voice File\x1a\x1a\0"),
    _alone(b"TTA1", rb"TTA1[\x01\x02]\0[\x01-\x08]\0[\x08-\x20]\0"),
    _alone(b"\xb7\xd8\x00\x20", rb"\xb7\xd8\x00\x20\x37\x49\xda\x11\xa6\x4e\x00\x07\xe9\x5e\xad\x8d"),
    _alone(b"DSD \x1c\0\0\0", rb"DSD \x1c\0{7}.{8}.{8}fmt "),
    _alone(b"wvpk", rb"wvpk.{4}[\x02-\x10]\x04\0.{5}\0{4}(?!\0{4}).{5}" + FIRST_OF_CHANNELS),
    Beginning(b"RIFF", re.compile(rb"RIFF....WAVE[A-Za-z0-9 ]{4}", re.DOTALL), is_kept=True),
    AVI,
    _alone(b"RIFF", rb"RIFF....QLCM"),
    _beginning(b"dss", rb"[\x02\x03]dss.{34}\d{24}", 1, is_read_on=False),
    _beginning(b"OggS\0", rb"OggS\0[\2\6]\0{8}"),
    _beginning(b"fLaC", rb"fLaC[\0\x80]\0\0\x22"),
    Beginning(b"\x1a\x45\xdf\xa3", HEADER),
    MP4,
    _beginning(b".snd\0\0", rb"\.snd\0\0[\0-\x0f].{5}\0\0\0[\x01-\x1b]\0[\0-\x0b]..\0\0\0[\x01-\x20]"),
    _beginning(b"#!AMR", rb"#!AMR(?:-WB)?\n"),
    _beginning(b"\x06\x0e\x2b\x34\x02\x05", rb"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02"),
    _beginning(b"nut/multimedia", rb"nut/multimedia container\0"),
    _beginning(b"NIST_1A\n", rb"NIST_1A\n *\d+\n"),
    _alone(b"MAC ", rb"MAC .\x0f\0\0\x34\0\0\0"),
    _alone(b"MPCKSH", rb"MPCKSH"),
    _beginning(b"tBaK\x01", rb"tBaK\x01[\x0a-\x20]\0\0"),
)
"""CAF, AIFF and 8SVX, W64, ASF, FLV, RealMedia, VOC, TTA, WTV, DSF, WavPack, WAV, AVI, QCP, DSS (with the times of its
beginning and end), Ogg, FLAC, Matroska, MP4, AU, AMR, MXF, NUT, SPHERE, APE, Musepack and TAK. Of WavPack, whose blocks
all begin alike, it is the block with the first samples of the first channels."""
SHORT: Final = re.compile(
    rb"OggS\0\x02|\.snd\0\0|fLaC\0|\x1a\x45\xdf\xa3|....(?:ftyp|moov....mvhd)|\0\0\0\x08wide....mdat|MP\+[\x07\x17]"
    rb"|[\x02\x03]dss|\x1f\x07\0[\x3f\xbf]",
    re.DOTALL,
)
"""The same in fewer bytes, and of QuickTime, Musepack, DSS and DV: enough where a recording may begin, and nowhere
else."""


def begins_at(content: Content, at: int, end: int, own: FrameKind | None = None) -> bool:
    """Whether a recording begins at that byte, or behind the title there; a title alone is none.

    `own`: of the recording before, whose frames are none.
    """
    at += title_size(lambda count, where: content[at + where : at + where + count])
    if at >= end:
        return False
    if SHORT.match(content, at) or any(form.begins(content, at) for form in FORMS):
        return True
    return any(kind.is_chain(content, at, CHAIN) for kind in KINDS if not own or kind.name != own.name)


def begins_within(content: Content, start: int, end: int, first: int, own: FrameKind | None = None) -> bool:
    """Whether one begins anywhere in these bytes, of another form than the recording that begins at `first`, which is
    of the frames `own`, or of those with which it begins."""
    forms = (form for form in FORMS if not form.begins(content, first))
    if any(form.first(content, start, end) is not None for form in forms):
        return True
    names = {own.name} if own else {kind.name for kind in KINDS if kind.begin.match(content, first)}
    kinds = (kind for kind in KINDS if kind.name not in names)
    return any(kind.next_chain(content, start, end, LONG_CHAIN) < end for kind in kinds)
