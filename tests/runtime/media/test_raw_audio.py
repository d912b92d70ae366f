"""Sound without a header is read by the type that is declared for it, and never against a header."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import whisper

from tests.runtime.media.conftest import decoded, refused, sounds_like
from tests.support.media_files import FORMATS, ffmpeg, speech_as
from whisper_runtime.media.raw_audio import DeclaredType, RawAudio, UnclearType, raw_audio

MULAW, ALAW = RawAudio("mulaw", 8000, 1), RawAudio("alaw", 8000, 1)
SILENCE = b"\xff" * 400


@pytest.mark.parametrize(
    ("content_type", "name", "raw"),
    [
        ("audio/basic", "", MULAW),
        ("Audio/Basic ; x=y", "a.wav", MULAW),
        ("audio/PCMU", "", MULAW),
        ("audio/PCMU;rate=16000;channels=2", "", RawAudio("mulaw", 16000, 2)),
        ('audio/PCMA; rate="8000"', "", ALAW),
        ("audio/x-alaw-basic", "", ALAW),
        ("audio/L8;rate=11025", "", RawAudio("u8", 11025, 1)),
        ("audio/L16;rate=16000;channels=1", "", RawAudio("s16be", 16000, 1)),
        ("audio/L16; rate=16000; endianness=little-endian", "", RawAudio("s16le", 16000, 1)),
        ("audio/L24;rate=48000;channels=6", "", RawAudio("s24be", 48000, 6)),
        ("audio/pcm;rate=24000", "", RawAudio("s16le", 24000, 1)),
        ("audio/x-gsm", "", RawAudio("gsm")),
        ("audio/GSM;rate=8000", "", RawAudio("gsm")),
        ("audio/G722", "", RawAudio("g722")),
        ("audio/AMR", "", RawAudio("amrnb")),
        ("audio/AMR-WB", "", RawAudio("amrwb")),
        *[(said, name, MULAW) for said in ("", "application/octet-stream") for name in ("a.ul", "A.ULAW", "b/a.mulaw")],
        ("", "a.al", ALAW),
        ("", "a.gsm", RawAudio("gsm")),
        ("", "a.g722", RawAudio("g722")),
        ("", "prompt.sln", RawAudio("s16le", 8000, 1)),
        ("", "prompt.sln16", RawAudio("s16le", 16000, 1)),
        ("", "a.raw", None),
        ("", "", None),
        ("audio/wav", "a.ul", None),
        ("text/plain", "a.ul", None),
        ("audio/ogg", "", None),
        ("video/L16", "", None),
    ],
)
def test_a_type_or_a_name_says_how_to_read_it(content_type: str, name: str, raw: RawAudio | None) -> None:
    assert raw_audio(DeclaredType(content_type, name), SILENCE) == raw


@pytest.mark.parametrize(
    ("content_type", "fault"),
    [
        ("audio/L16", "audio/l16 has no `rate`: it takes 1000 to 384000"),
        ("audio/pcm;channels=2", "audio/pcm has no `rate`"),
        ("audio/L16;rate=0", "has '0' as its `rate`"),
        ("audio/L16;rate=1e4", "has '1e4' as its `rate`"),
        ("audio/PCMU;rate=9999999999999", "has '9999999999999' as its `rate`"),
        ("audio/L16;rate=16000;channels=65", "has '65' as its `channels`: it takes 1 to 64"),
        ("audio/L16;rate=16000;channels=-1", "has '-1' as its `channels`"),
    ],
)
def test_a_type_without_what_it_needs_is_refused(content_type: str, fault: str) -> None:
    with pytest.raises(UnclearType) as error:
        raw_audio(DeclaredType(content_type), SILENCE)
    assert fault in str(error.value)
    assert str(error.value).endswith("for example audio/L16;rate=16000;channels=1.")


@pytest.mark.parametrize(
    ("name", "options", "content_type"),
    [
        ("a.ul", ("-ar", "8000", "-f", "mulaw"), "audio/basic"),
        ("a.al", ("-ar", "8000", "-f", "alaw"), "audio/PCMA"),
        ("a.bin", ("-ar", "16000", "-f", "mulaw"), "audio/PCMU;rate=16000"),
        ("a.bin", ("-ar", "16000", "-f", "s16be"), "audio/L16;rate=16000;channels=1"),
        ("a.bin", ("-ar", "16000", "-ac", "2", "-f", "s16be"), "audio/L16;rate=16000;channels=2"),
        ("a.bin", ("-ar", "48000", "-f", "s24be"), "audio/L24;rate=48000"),
        ("a.bin", ("-ar", "11025", "-f", "u8"), "audio/L8;rate=11025"),
        ("a.bin", ("-ar", "24000", "-f", "s16le"), "audio/pcm;rate=24000"),
        ("a.gsm", ("-ar", "8000", "-f", "gsm"), "audio/x-gsm"),
        ("a.g722", ("-ar", "16000", "-f", "g722"), "audio/G722"),
    ],
)
async def test_speech_without_a_header_is_heard(
    recordings: Path, tmp_path: Path, name: str, options: tuple[str, ...], content_type: str
) -> None:
    """And is, sample by sample, what the same bytes are in a container."""
    jfk, raw, boxed = recordings / "jfk.wav", tmp_path / name, tmp_path / "a.mkv"
    ffmpeg("-i", jfk, *options, raw)
    rate = options[:4] if "-ac" in options else (*options[:2], "-ac", "1")
    codec = ("-f", options[-1], *(() if options[-1] in ("gsm", "g722") else rate))
    samples = await decoded(raw, declared=DeclaredType(content_type))
    assert sounds_like(samples, jfk)
    if options[-1] != "g722":  # which Matroska has not
        same = {"s24be": "pcm_s24le", "u8": "pcm_u8"}.get(options[-1], "pcm_s16le")
        ffmpeg(*codec, "-i", raw, "-c:a", same, boxed)
        assert np.array_equal(samples, whisper.load_audio(str(boxed)))
    if name != "a.bin":
        assert np.array_equal(samples, await decoded(raw, declared=DeclaredType("", name)))


async def test_sixteen_bits_without_a_layout_lose_no_microphone(recordings: Path, tmp_path: Path) -> None:
    pcm = (whisper.load_audio(str(recordings / "jfk.wav")) * 32768).astype(">i2")
    microphones = np.zeros((len(pcm), 6), dtype=">i2")
    microphones[:, 3] = pcm
    (tmp_path / "a.raw").write_bytes(microphones.tobytes())
    declared = DeclaredType("audio/L16;rate=16000;channels=6", "a.raw")
    assert sounds_like(await decoded(tmp_path / "a.raw", declared=declared), recordings / "jfk.wav")


@pytest.mark.parametrize(("content_type", "magic"), [("audio/AMR", b"#!AMR\n"), ("audio/AMR-WB", b"#!AMR-WB\n")])
async def test_frames_of_amr_are_the_same_with_and_without_their_first_line(
    tmp_path: Path, content_type: str, magic: bytes
) -> None:
    """Written by hand, as Debian's ffmpeg only reads it: fifty frames of any bits, in the codec's lowest mode."""
    size = 12 if magic == b"#!AMR\n" else 17
    bits = np.random.default_rng(1).integers(0, 256, (50, size), dtype=np.uint8)
    frames = b"".join(b"\x04" + frame.tobytes() for frame in bits)
    (tmp_path / "a").write_bytes(frames)
    (tmp_path / "b").write_bytes(magic + frames)
    bare = await decoded(tmp_path / "a", declared=DeclaredType(content_type))
    assert len(bare) == 16_000
    assert np.abs(bare).max() > 0.01
    assert np.array_equal(bare, await decoded(tmp_path / "b", declared=DeclaredType(content_type)))


@pytest.mark.parametrize("form", [form for form in FORMATS if form not in ("gsm", "mp3", "aac", "thd", "loas")])
async def test_a_header_is_right_whatever_is_declared(recordings: Path, tmp_path: Path, form: str) -> None:
    path = speech_as(recordings / "jfk.wav", tmp_path / f"a.{form}")
    for declared in (DeclaredType("audio/basic"), DeclaredType("", "a.ul")):
        assert np.array_equal(await decoded(path, declared=declared), whisper.load_audio(str(path)))


async def test_snd_files_of_the_type_basic_have_a_header(recordings: Path, tmp_path: Path) -> None:
    """As mimetypes of Python, and web servers, call them."""
    path = speech_as(recordings / "jfk.wav", tmp_path / "a.au", "-ar", "8000", "-c:a", "pcm_mulaw")
    assert np.array_equal(await decoded(path, declared=DeclaredType("audio/basic")), whisper.load_audio(str(path)))


async def test_without_a_word_bare_samples_are_refused(recordings: Path, tmp_path: Path) -> None:
    ffmpeg("-i", recordings / "jfk.wav", "-ar", "16000", "-f", "s16be", tmp_path / "a.raw")
    assert (await refused(tmp_path / "a.raw")).reason == "NotAudio"
    error = await refused(tmp_path / "a.raw", declared=DeclaredType("audio/L16"))
    assert (error.reason, "has no `rate`" in error.message) == ("NotAudio", True)


async def test_what_is_longer_than_the_limit_is_refused(recordings: Path, tmp_path: Path) -> None:
    ffmpeg("-i", recordings / "jfk.wav", "-ar", "8000", "-f", "mulaw", tmp_path / "a.ul")
    assert (await refused(tmp_path / "a.ul", max_seconds=3, declared=DeclaredType("", "a.ul"))).reason == "TooLong"
