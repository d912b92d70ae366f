"""Three hundred files that nobody should accept, made from good ones; the same ones every time."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.media_files import ffmpeg, speech_as

OF_EACH_KIND: Final = 30
LIE_HOURS: Final = 1000


@dataclass(frozen=True)
class Damaged:
    kind: str
    name: str
    content: bytes


def damaged(jfk: Path, work: Path, port: int, secret: Path) -> list[Damaged]:
    """All of them. `port` of this machine, and the file `secret`, are what some of them point at."""
    good = {
        form: speech_as(jfk, work / f"good.{form}").read_bytes()
        for form in ("wav", "flac", "m4a", "ogg", "webm", "mp3", "caf", "w64", "flv", "wma", "avi", "rm")
    }
    good["mp4"] = speech_as(jfk, work / "good.mp4", "-movflags", "+faststart").read_bytes()
    kinds = (_cut, _cut_in_the_middle, _flipped, _renamed, _zeros, _silent_films, _many_tracks, _liars)
    made = [one for kind in kinds for one in kind(good, work)]
    return made + list(_pointers(port, secret))


def _cut(good: dict[str, bytes], work: Path) -> Iterator[Damaged]:
    """The beginning of a file, before its first sound; of an mp4, all but its index, which is at the end."""
    for number in range(OF_EACH_KIND):
        form = ("wav", "flac", "m4a", "ogg", "webm")[number % 5]
        content = good[form]
        end = len(content) * (number + 1) // 50 if form == "m4a" else 4 + number
        yield Damaged("cut", f"{number}.{form}", content[:end])


def _cut_in_the_middle(good: dict[str, bytes], work: Path) -> Iterator[Damaged]:
    """From a fifth to four fifths of a file: each would decode without an error, to a part of the text."""
    for number in range(OF_EACH_KIND):
        form = ("wav", "mp3", "flac", "webm", "mp4", "caf", "w64", "flv", "wma", "avi", "rm")[number % 11]
        yield Damaged("cut in the middle", f"{number}.{form}", good[form][: len(good[form]) * (10 + number) // 50])


def _flipped(good: dict[str, bytes], work: Path) -> Iterator[Damaged]:
    """A third of all bits is wrong, in the first half of the file all the more."""
    for number in range(OF_EACH_KIND):
        form = ("wav", "flac", "m4a", "ogg", "webm")[number % 5]
        noise = random.Random(number)
        content = bytes(byte ^ noise.getrandbits(8) & noise.getrandbits(8) for byte in good[form])
        yield Damaged("flipped", f"{number}.{form}", content)


def _renamed(good: dict[str, bytes], work: Path) -> Iterator[Damaged]:
    """What is no media at all, under the name of some."""
    others = (
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
        b"PK\x03\x04" + bytes(26) + b"word/document.xml",
        b"\x7fELF\x02\x01\x01" + bytes(57),
        b"<!doctype html><title>x</title><audio src='a.mp3'>",
        b'{"audio": "bm9uZQ=="}',
        b"1\n00:00:01,000 --> 00:00:02,000\nAsk not.\n",
        b"WEBVTT\n\n00:01.000 --> 00:02.000\nAsk not.\n",
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>',
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"GIF89a" + bytes(100),
    )
    for number in range(OF_EACH_KIND):
        form = ("mp3", "wav", "mp4")[number // len(others)]
        yield Damaged("renamed", f"{number}.{form}", others[number % len(others)] * (1 + number * 10))


def _zeros(good: dict[str, bytes], work: Path) -> Iterator[Damaged]:
    for number in range(OF_EACH_KIND):
        yield Damaged("zeros", f"{number}.wav", bytes(number**4))


def _silent_films(good: dict[str, bytes], work: Path) -> Iterator[Damaged]:
    for number in range(OF_EACH_KIND):
        path = work / f"film-{number}.{('mp4', 'mkv', 'avi')[number % 3]}"
        ffmpeg("-f", "lavfi", "-i", f"testsrc=size={16 * (number + 1)}x16:rate=1:duration=2", path)
        yield Damaged("no audio track", path.name, path.read_bytes())


def _many_tracks(good: dict[str, bytes], work: Path) -> Iterator[Damaged]:
    for number in range(OF_EACH_KIND):
        tracks = [argument for _ in range(33 + number) for argument in ("-map", "0:a")]
        path = work / f"tracks-{number}.{('mkv', 'mp4')[number % 2]}"
        ffmpeg("-i", work / "good.m4a", "-t", "0.5", *tracks, "-c", "copy", path)
        yield Damaged("many tracks", path.name, path.read_bytes())


def _liars(good: dict[str, bytes], work: Path) -> Iterator[Damaged]:
    """An mp4 whose header promises a thousand hours and more."""
    for number in range(OF_EACH_KIND):
        content = bytearray(good["m4a"])
        for box in (b"mvhd", b"mdhd"):
            at = content.index(box) + 16
            (scale,) = struct.unpack_from(">I", content, at)
            struct.pack_into(">I", content, at + 4, min(scale * 3600 * (LIE_HOURS + number), 0xFFFFFFF0))
        yield Damaged("promises too much", f"{number}.m4a", bytes(content))


def _pointers(port: int, secret: Path) -> Iterator[Damaged]:
    """Playlists, manifests and documents that name another file or a host."""
    targets = (f"http://127.0.0.1:{port}/a.ts", f"tcp://127.0.0.1:{port}", f"file://{secret}", str(secret))
    forms = (
        ("m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"),
        ("m3u8", '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{}"\n#EXTINF:10,\na.ts\n#EXT-X-ENDLIST\n'),
        ("ffconcat", "ffconcat version 1.0\nfile '{}'\n"),
        ("mpd", '<?xml version="1.0"?><MPD type="static"><Period><BaseURL>{}</BaseURL></Period></MPD>'),
        ("sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns={}\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n"),
        ("asx", '<asx version="3.0"><entry><ref href="{}"/></entry></asx>'),
        ("pls", "[playlist]\nFile1={}\nNumberOfEntries=1\n"),
        ("xspf", "<playlist><trackList><track><location>{}</location></track></trackList></playlist>"),
        ("smil", '<smil><body><audio src="{}"/></body></smil>'),
        ("rtsp", "RTSPtext\nrtsp://{}\n"),
        ("ffmetadata", ";FFMETADATA1\ntitle={}\n"),
        ("svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="{}"/></svg>'),
    )
    for form, text in forms:
        for number, target in enumerate(targets):
            yield Damaged("points elsewhere", f"{number}.{form}", text.format(target).encode())
    for number, target in enumerate(targets * 11):
        yield Damaged("points elsewhere", f"{number}.mov", _external_mov(target, number))


def _external_mov(target: str, number: int) -> bytes:
    """A QuickTime file whose only sound lies in another file, by a data reference of the type `url ` or `alis`."""
    kind = (b"url ", b"alis")[number % 2]
    reference = _box(b"dref", struct.pack(">II", 0, 1) + _box(kind, struct.pack(">I", 0) + target.encode() + b"\0"))
    sound = struct.pack(">6xH8xHHHHI", 1, 1, 16, 0, 0, 16000 << 16)
    tables = (
        _box(b"stsd", struct.pack(">II", 0, 1) + _box(b"sowt", sound)),
        _box(b"stts", struct.pack(">IIII", 0, 1, 16000, 1)),
        _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 16000, 1)),
        _box(b"stsz", struct.pack(">III", 0, 2, 16000)),
        _box(b"stco", struct.pack(">III", 0, 1, 40_000 + number)),
    )
    media = _box(b"minf", _box(b"smhd", bytes(8)) + _box(b"dinf", reference) + _box(b"stbl", b"".join(tables)))
    header = _box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 16000, 16000, 0, 0))
    handler = _box(b"hdlr", bytes(4) + b"mhlrsoun" + bytes(13))
    track = _box(
        b"trak",
        _box(b"tkhd", bytes(3) + b"\x01" + bytes(8) + b"\0\0\0\x01" + bytes(68))
        + _box(b"mdia", header + handler + media),
    )
    movie = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 1000) + bytes(80))
    return _box(b"ftyp", b"qt  \0\0\0\0qt  ") + _box(b"moov", movie + track)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content
