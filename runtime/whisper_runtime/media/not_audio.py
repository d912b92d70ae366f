"""What a file is that is no audio, in words for whoever took it for some."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Mapping
from typing import IO, Final

from whisper_runtime.media.byte_search import first_match
from whisper_runtime.media.ending import ending_of
from whisper_runtime.media.raw_audio import UNDECLARED, DeclaredType
from whisper_runtime.media.transport import PACKET

UNPACK: Final = "it is compressed or an archive; unpack it"
PLAYLIST: Final = "it is a playlist, which names recordings elsewhere; send the recording itself"
PICTURE: Final = "it is a picture"
BASE64: Final = "it is text in base64; send the bytes that it encodes"
PIECE_OF_WEBM: Final = (
    "it is a part of a WebM recording, which only its first part makes readable; send the recording from its beginning"
)
SEGMENT: Final = (
    "it is a segment of an MP4 stream without the one that all segments need (`moov`); send that one before it"
)
DS2: Final = "it is a dictation in DS2 (DSS Pro), which only its maker's programs read; export it as WAV or MP3"
SILK: Final = "it is a voice message in SILK, as WeChat and QQ have them; convert it to WAV or MP3 first"
SONY: Final = "it is a dictation of Sony's (DVF, MSV), which only its maker's programs read; export it as WAV or MP3"
CAPTURE: Final = (
    "it is a capture of a network, and not the sound of the calls in it; save that from the program that shows it, "
    "as Wireshark does by Telephony, RTP Streams, Export"
)
PHONE: Final = "it is speech in a phone's codec that is not decoded here; convert it to WAV or MP3 first"
CD_TRACK: Final = "it is a pointer to a track of a CD, and has no sound; copy the track itself as WAV or MP3"
NOTES: Final = "it is MIDI, which has notes and no sound"
FLASH: Final = "it is a Flash animation; export its sound as WAV or MP3"
JANUS: Final = "it is a recording of Janus's (mjr), which has a network's packets; convert it by janus-pp-rec first"
WHITE_SPACE: Final = (
    "it has white space before its beginning, as where a script printed a line first; send the recording's bytes alone"
)
BARE_SAMPLES: Final = (
    "it is named as a WAV and has no header, as where an app saved bare samples; write the header, or send them with "
    "what they are as the type of the file, such as audio/pcm;rate=16000"
)
DIALOGIC: Final = "it is named as a VOX of Dialogic's, which has no header; convert it to WAV first (sox a.vox a.wav)"
APPLE_DOUBLE: Final = (
    "it is what macOS keeps beside a file (`._…`), and not the file itself; send the one whose name has no `._`"
)
DATABASE: Final = "it is a database, perhaps a project of Audacity's; export the recording as WAV or MP3"
OFFICE: Final = "it is a document or a mail of Microsoft's; send the recording in it"
KINDS: Final[Mapping[bytes, str]] = {
    rb"PK\x03\x04": "it is a ZIP archive or a document; send the recording in it",
    rb"\x1f\x8b|BZh\d1AY|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd": UNPACK,
    rb"%PDF-": "it is a PDF",
    rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0\0\0\0|II\*\0|MM\0\*": PICTURE,
    rb"RIFF....WEBP|....ftyp(?:heic|mif1|avif)": PICTURE,
    rb"#EXTM3U|\[playlist\]|<\?wpl": PLAYLIST,
    rb"(?:<\?xml[^>]{0,100}>\s{0,9})?<(?:MPD|asx|playlist|smil|SmoothStreamingMedia)\b": PLAYLIST,
    rb"WEBVTT|1\r?\n\d\d:\d\d:\d\d,": "it is subtitles",
    rb"version https://git-lfs": "it is a pointer of Git LFS; fetch the file that it stands for",
    rb"data:[\w/;=.+-]*,": "it is a data URL; send the bytes that it encodes",
    rb"--[^\r\n]{1,70}\r?\nContent-": "it is a form; the client has encoded it twice",
    rb"<(?:!doctype html|html|!--|head|body|script)": "it is a web page, perhaps an error instead of the recording",
    rb"<\?xml|<svg": "it is XML",
    rb"[{\[]\s*[\"{\[\]}0-9tfn-]": "it is JSON, perhaps an error instead of the recording",
    rb"[A-Za-z0-9+/_-]{60,76}\r?\n[A-Za-z0-9+/_-]{60}|[A-Za-z0-9+/_-]{512}": BASE64,
    rb"\x1f\x43\xb6\x75|\x43\xb6\x75|\xa3[\x40-\xff]": PIECE_OF_WEBM,
    rb"....(?:moof|styp|sidx|emsg)": SEGMENT,
    rb"\x1aE\xdf\xa3": "it is a Matroska or WebM file that ends before its first sound, or is damaged",
    rb"RIFF....WAVE|RIFX|RF64|BW64": "it is a WAV whose header is damaged or ends too early",
    rb"FORM....AIF": "it is an AIFF whose header is damaged or ends too early",
    rb"OggS": "it is an Ogg that ends before its first sound, or is damaged",
    rb"ID3": "it has a title, and no sound that can be read behind it",
    rb"caff": "it is a CAF that ends before its last part, or is damaged",
    rb"\xb7\xd8\x00\x20": "it is a WTV that ends before its last part, or is damaged",
    rb"[\x01-\x07]ds2": DS2,
    rb"\x02?#!SILK": SILK,
    rb"MS_VOICE": SONY,
    rb"MJR0000[12]|MEETECHO": JANUS,
    rb"\x00\x05\x16\x07": APPLE_DOUBLE,
    rb"SQLite format 3": DATABASE,
    rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": OFFICE,
    rb"MZ|\x7fELF|\xcf\xfa\xed\xfe": "it is a program",
    rb"MThd|RIFF....RMID": NOTES,
    rb"RIFF....CDDA": CD_TRACK,
    rb"[FCZ]WS[\x01-\x40]": FLASH,
    rb"\xd4\xc3\xb2\xa1|\xa1\xb2\xc3\xd4|\x4d\x3c\xb2\xa1|\x0a\x0d\x0d\x0a.{4}[\x4d\x1a]|#!rtpplay": CAPTURE,
    rb"#!(?:iLBC|EVRC|SMV|QCELP|EVS|AMR-WB\+)": PHONE,
    rb"riff\x2e\x91": "it is a W64 whose header is damaged, or lacks the sizes, as where it was written into a pipe",
    rb"fLaC": "it is a FLAC that ends before its first sound, or is damaged",
}
"""By how the file begins; the first that matches."""
BEGINNINGS: Final = tuple((re.compile(pattern, re.DOTALL | re.IGNORECASE), kind) for pattern, kind in KINDS.items())
SOMETHING: Final = re.compile(rb"[^\0]")
INDEX: Final = re.compile(rb"moov")
MP4: Final = re.compile(rb"....(?:ftyp|mdat|wide|free|skip)", re.DOTALL)
NO_INDEX: Final = "it is an MP4 without its index (`moov`), as where a recorder was switched off or an upload was cut"
DAMAGED_MP4: Final = "it is an MP4 that is damaged"
RECORDING: Final = re.compile(rb"RIFF|ID3|OggS|fLaC|\x1aE\xdf\xa3|\xff[\xe2-\xff]|....ftyp", re.DOTALL)
WAV_TYPE: Final = re.compile("audio/(?:x-|vnd\\.)?wave?\\b", re.IGNORECASE)
LATE_HEADER: Final = re.compile(rb"\x1aE\xdf\xa3.{1,64}\x42\x82.(?:webm|matroska)", re.DOTALL)
OUT_OF_ORDER: Final = "it has the beginning of a WebM recording behind other parts of it; send the parts in their order"
REPLACEMENT: Final = "\ufffd".encode()
MANGLED: Final = "it was read as text and written again, which destroys it; send its bytes as they are"
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
PROTECTION: Final = re.compile(rb"schm\0\0\0.(?:cenc|cens|cbc1|cbcs|piff|itun|sinf)|(?:aavd|drms)\0{7}\x01", re.DOTALL)
"""The box in which an MP4 names its encryption (ISO/IEC 14496-12, 8.12.5), and the sound of Audible and Apple."""
PACKETS_LOOKED_AT: Final = 1000
HEAD: Final = 4096
MANY: Final = 16
"""Characters in the place of lost bytes: by chance, media have none."""


def what_it_is(media: IO[bytes], declared: DeclaredType = UNDECLARED) -> str | None:
    """A clause on what the file is, with a remedy where there is one; None: that is not known.

    Where its bytes say nothing, it is what it is `declared` to be.
    """
    return _by_content(media) or _by_name(declared)


def _by_name(declared: DeclaredType) -> str | None:
    name = declared.name.lower()
    if name.endswith(".vox"):
        return DIALOGIC
    return BARE_SAMPLES if name.endswith(".wav") or WAV_TYPE.match(declared.content_type) else None


def _by_content(media: IO[bytes]) -> str | None:
    with mmap.mmap(media.fileno(), 0, prot=mmap.PROT_READ) as content:
        head = content[:HEAD]
        if head.count(REPLACEMENT) >= MANY or _is_in_utf8(head):
            return MANGLED
        if not any(head) and first_match(SOMETHING, content) is None:
            return "it holds zeros alone"
        if (ending := ending_of(lambda count, at: content[at : at + count], len(content))).lacks_bytes:
            return (
                f"its header promises {ending.promised_bytes} bytes, and {ending.size} are there; send the whole file"
            )
        text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
        if head[:1].isspace() and RECORDING.match(text):
            return WHITE_SPACE
        if known := next((kind for begin, kind in BEGINNINGS if begin.match(head) or begin.match(text)), None):
            return known
        if MP4.match(head):
            return NO_INDEX if first_match(INDEX, content) is None else DAMAGED_MP4
        if first_match(LATE_HEADER, content) is not None:
            return OUT_OF_ORDER
        return "it is text" if _is_text(head) else None


def is_protected(media: IO[bytes]) -> bool:
    """Whether the file is an MP4 that is encrypted, or a broadcast that is scrambled."""
    if not MP4.match(os.pread(media.fileno(), 8, 0)):
        return _is_scrambled(os.pread(media.fileno(), PACKET * PACKETS_LOOKED_AT, 0))
    with mmap.mmap(media.fileno(), 0, prot=mmap.PROT_READ) as content:
        return first_match(PROTECTION, content) is not None


def _is_scrambled(begin: bytes) -> bool:
    """Whether most packets of a transport stream say so in their header (ISO/IEC 13818-1, 2.4.3.3)."""
    packets = [begin[at : at + 4] for at in range(0, len(begin) - PACKET + 1, PACKET)]
    said = [packet[3] >> 6 > 1 for packet in packets if packet[0] == ord("G")]
    return len(said) == len(packets) and 2 * sum(said) > len(packets)


def _is_in_utf8(head: bytes) -> bool:
    """Whether it begins as a WAV, MP3 or WebM does, its bytes taken for the characters of Latin-1."""
    return head.startswith((b"\x1aE\xc3\x9f\xc2\xa3", b"\xc3\xbf\xc3\xbb", BYTE_ORDER_MARK + b"RIFF"))


def _is_text(head: bytes) -> bool:
    """Whether it is readable UTF-8, of which the last character may be cut."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode()
    return all(character.isprintable() or character.isspace() for character in text)
