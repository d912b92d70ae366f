"""What is taken for audio is named, and where there is a remedy, that too."""

from __future__ import annotations

import base64
import gzip
import io
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.runtime.media.conftest import refused
from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.media.not_audio import is_protected, what_it_is
from whisper_runtime.media.raw_audio import DeclaredType


def zipped(content: bytes) -> bytes:
    with zipfile.ZipFile(target := io.BytesIO(), "w") as archive:
        archive.writestr("jfk.wav", content)
    return target.getvalue()


JSON = b'{"detail": "Not Found"}'
FORM = b'--abc\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF'
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 352078\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(b"RIFF"), "a ZIP archive"),
        (gzip.compress(b"RIFF" * 100), "compressed or an archive; unpack it"),
        (b"%PDF-1.7\n1 0 obj", "a PDF"),
        (b"MJR00002\0\x20" + b'{"t":"a","c":"opus"}'.ljust(32) + bytes(600), "convert it by janus-pp-rec"),
        (b"\r\nRIFF\x24\0\0\0WAVEfmt " + bytes(range(200)), "white space before its beginning"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a picture"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "a picture"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "a picture"),
        (b"#EXTM3U\n#EXTINF:10,\nseg.ts\n", "a playlist, which names recordings elsewhere"),
        (b'<?xml version="1.0"?>\n<MPD type="static">', "a playlist, which names recordings elsewhere"),
        (b'<asx version="3.0"><entry/></asx>', "a playlist, which names recordings elsewhere"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nAsk not.\n", "subtitles"),
        (LFS, "a pointer of Git LFS"),
        (b"data:audio/wav;base64,UklGRg==", "a data URL; send the bytes that it encodes"),
        (base64.b64encode(bytes(1000)), "text in base64; send the bytes that it encodes"),
        (base64.encodebytes(bytes(1000)), "text in base64; send the bytes that it encodes"),
        (FORM, "a form; the client has encoded it twice"),
        (b"\n<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"\xef\xbb\xbf<html>", "a web page"),
        (b"<?xml version='1.0'?><Error/>", "XML"),
        (JSON, "JSON, perhaps an error"),
        (b"hello world, h\xc3\xa9!\n" * 1000, "it is text"),
        (b"\x03ds2" + bytes(600), "a dictation in DS2"),
        (b"\x02#!SILK_V3" + bytes(range(128, 256)), "a voice message in SILK, as WeChat and QQ have them"),
        (b"#!SILK_V3" + bytes(range(128, 256)), "a voice message in SILK"),
        (b"MS_VOICE  SONY CORPORATION" + bytes(200), "a dictation of Sony's"),
        (b"\xd4\xc3\xb2\xa1\2\0\4\0" + bytes(500), "a capture of a network"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a" + bytes(500), "a capture of a network"),
        (b"#!rtpplay1.0 10.0.0.1/5004\n" + bytes(500), "Telephony, RTP Streams, Export"),
        (b"#!iLBC30\n" + bytes(range(128, 256)), "a phone's codec that is not decoded here"),
        (b"#!AMR-WB+\n" + bytes(range(128, 256)), "a phone's codec that is not decoded here"),
        (b"RIFF\x24\0\0\0CDDAfmt " + bytes(28), "a pointer to a track of a CD"),
        (b"RIFF\x24\0\0\0RMIDdata" + bytes(28), "it is MIDI"),
        (b"CWS\x0a" + bytes(range(128, 256)), "a Flash animation"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(100), "the one whose name has no `._`"),
        (b"SQLite format 3\0" + bytes(100), "a project of Audacity's"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), "a document or a mail"),
        (b"\x7fELF\2\1\1" + bytes(100), "a program"),
        (b"ID3\x04\0\0\0\0\0\x0a" + bytes(10), "no sound that can be read behind it"),
        (b"ID3\x04" + "\ufffd".encode() * 100, "read as text and written again"),
        (b"\x1aE\xc3\x9f\xc2\xa3" + bytes(100), "read as text and written again"),
        (bytes(10_000), "holds zeros alone"),
    ],
)
async def test_by_how_it_begins(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    error = await refused(tmp_path / "a.mp3")
    assert error.reason == "NotAudio"
    assert words in error.message


async def test_of_what_says_nothing_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(bytes(range(128, 256)) * 100)
    message = (await refused(tmp_path / "a.mp3")).message
    assert "or its format is not supported: send WAV, MP3, M4A, FLAC, Ogg or WebM." in message


async def test_a_w64_that_was_written_into_a_pipe(jfk: Path, tmp_path: Path) -> None:
    with (tmp_path / "a.w64").open("wb") as pipe:
        subprocess.run(("ffmpeg", "-loglevel", "error", "-i", jfk, "-f", "w64", "-"), stdout=pipe, check=True)
    assert "a W64 whose header is damaged, or lacks the sizes" in (await refused(tmp_path / "a.w64")).message


async def test_pieces_of_a_webm(jfk: Path, tmp_path: Path) -> None:
    """As browsers hand them out: the first has the header, and only with it the others can be read."""
    webm = speech_as(jfk, tmp_path / "a.webm", "-cluster_time_limit", "1000").read_bytes()
    clusters = [at for at in range(len(webm)) if webm.startswith(b"\x1f\x43\xb6\x75", at)]
    for content, words in (
        (webm[clusters[3] :], "a part of a WebM recording, which only its first part makes readable"),
        (webm[: clusters[0]], "ends before its first sound"),
        (webm[clusters[5] + 9 :] + webm, "send the parts in their order"),
    ):
        (tmp_path / "piece.webm").write_bytes(content)
        assert words in (await refused(tmp_path / "piece.webm")).message


async def test_pieces_of_an_mp4(jfk: Path, tmp_path: Path) -> None:
    fragments = ("-movflags", "frag_keyframe+empty_moov+default_base_moof", "-frag_duration", "1000000")
    mp4 = speech_as(jfk, tmp_path / "a.mp4", "-c:a", "aac", *fragments).read_bytes()
    whole = speech_as(jfk, tmp_path / "b.m4a").read_bytes()
    for content, words in (
        (mp4[mp4.index(b"moof") - 4 :], "a segment of an MP4 stream without the one that all segments need"),
        (whole[: whole.rindex(b"moov") - 4], "an MP4 without its index"),
    ):
        (tmp_path / "piece.mp4").write_bytes(content)
        assert words in (await refused(tmp_path / "piece.mp4")).message


async def test_an_mp4_that_is_encrypted(jfk: Path, tmp_path: Path) -> None:
    keys = ("-encryption_key", "00" * 16, "-encryption_kid", "11" * 16)
    ffmpeg("-i", jfk, "-c:a", "aac", "-encryption_scheme", "cenc-aes-ctr", *keys, tmp_path / "a.mp4")
    assert (await refused(tmp_path / "a.mp4")).message == (
        "The audio is encrypted (DRM): send a recording that is not."
    )
    with jfk.open("rb") as media:
        assert not is_protected(media)


@pytest.mark.parametrize("name", [b"aavd", b"drms"])
def test_an_audiobook_of_a_shop_is_encrypted(jfk: Path, tmp_path: Path, name: bytes) -> None:
    content = speech_as(jfk, tmp_path / "a.m4a").read_bytes()
    (tmp_path / "b.m4a").write_bytes(content.replace(b"mp4a", name, 1))
    with (tmp_path / "b.m4a").open("rb") as media:
        assert is_protected(media)


async def test_a_broadcast_that_is_scrambled_is_encrypted(jfk: Path, tmp_path: Path) -> None:
    """As receivers record it without the card."""
    content = bytearray(speech_as(jfk, tmp_path / "a.ts", "-c:a", "aac").read_bytes())
    for at in range(0, len(content), 188):
        if content[at + 1] & 0x1F == 1 and content[at + 2] == 0:
            content[at + 3] |= 0xC0
            content[at + 48 : at + 188] = bytes(byte ^ 0x5A for byte in content[at + 48 : at + 188])
    (tmp_path / "a.ts").write_bytes(content)
    assert "encrypted" in (await refused(tmp_path / "a.ts")).message


def test_a_word_in_the_middle_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xff\xfe\x00\x01PK\x03\x04<html>")
    with (tmp_path / "a").open("rb") as media:
        assert what_it_is(media) is None


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (DeclaredType("audio/wav", "blob"), "named as a WAV and has no header"),
        (DeclaredType("application/octet-stream", "record_out.WAV"), "named as a WAV and has no header"),
        (DeclaredType("", "call.vox"), "convert it to WAV first"),
        (DeclaredType("audio/mpeg", "a.mp3"), "send WAV, MP3, M4A, FLAC, Ogg or WebM"),
    ],
)
async def test_what_says_nothing_is_what_it_is_named(
    jfk: Path, tmp_path: Path, declared: DeclaredType, words: str
) -> None:
    """An app on a phone saves bare samples by the name of a WAV."""
    ffmpeg("-i", jfk, "-f", "s16le", tmp_path / "samples")
    assert words in (await refused(tmp_path / "samples", declared=declared)).message
