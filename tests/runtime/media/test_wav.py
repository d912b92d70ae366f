"""What a WAV's header says of its samples is a hint, and all of them are read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import whisper

from tests.runtime.media.conftest import decoded, is_speech, refused
from tests.support.media_files import speech_as
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.wav import JoinedWavs, wav_data, wav_options

FORM = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)
"""16 bits, one channel, 16 kHz."""


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    """`size`: as its header says, where that is not the content's."""
    return name + struct.pack("<I", len(content) if size is None else size) + content


def wav(size: int, kind: int = 1, before: bytes = b"") -> bytes:
    """The first bytes of a WAV that says that it has `size` bytes of 16-bit samples at 16 kHz."""
    form = struct.pack("<H", kind) + FORM[2:]
    return b"RIFF\xff\xff\xff\xffWAVE" + chunk(b"fmt ", form) + before + chunk(b"data", bytes(100), size)


def long_wav(samples: bytes, size: int, magic: bytes = b"RF64") -> bytes:
    """With sizes of 64 bits; `size` is that of the samples, as it says."""
    sizes = chunk(b"ds64", struct.pack("<QQQI", size + 72, size, size // 2, 0))
    return magic + b"\xff\xff\xff\xffWAVE" + sizes + chunk(b"fmt ", FORM) + chunk(b"data", samples, 2**32 - 1)


def reader(content: bytes) -> Callable[[int, int], bytes]:
    return lambda count, at: content[at : at + count]


def samples_of(path: Path) -> bytes:
    content = path.read_bytes()
    return content[content.index(b"data") + 8 :]


@pytest.mark.parametrize(
    ("head", "promised"),
    [
        (wav(320_000), 10),
        (wav(320_000, before=b"LIST\x03\0\0\0abc\0"), 10),  # chunks begin at even bytes
        (wav(320_000, before=chunk(b"JUNK", bytes(200_000))), 10),  # a picture, an editor's notes
        (wav(320_000, kind=3), 10),
        (long_wav(b"", 5_000_000_000), 156250),
        (long_wav(b"", 320_000, b"BW64"), 10),
        (long_wav(b"", 0), 0),
        (wav(320_000, kind=0x55), 0),  # mp3 in a WAV: bytes are no length
        # Written before anybody knew, by sox, arecord, ffmpeg, and all that leave 0.
        (wav(0), 0),
        (wav(0x7FFFF000), 0),
        (wav(0x80000000), 0),
        (wav(0xFFFFFFFF), 0),
        # Programs that stream speech: a round size, of the samples or of the file.
        (wav(2_000_000_000), 0),
        (wav(1_000_000_000), 0),
        (wav(0x40000000), 0),
        (wav(0x40000000 - 36), 0),
        (wav(2_000_000_000 - 44), 0),
        (wav(2_000_000_002), 62500.0000625),
        (wav(96_000_000), 3000),
        # A size that leads nowhere, a rate of nothing, no WAV at all.
        (wav(320_000, before=b"LIST\xff\xff\xff\xff"), 0),
        (wav(320_000)[:24] + bytes(12) + wav(320_000)[36:], 0),
        (wav(320_000)[:40], 0),
        (b"RIFF", 0),
        (b"ID3", 0),
    ],
)
def test_what_a_wavs_header_says(head: bytes, promised: float) -> None:
    found = wav_data(reader(head))
    assert (found.seconds if found else 0) == promised


READ_ON = ("-f", "wav", "-ignore_length", "1")


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (wav(320_000) + bytes(319_900), ()),
        (wav(320_000) + bytes(639_900), READ_ON),
        (wav(0) + bytes(640_000), READ_ON),
        (wav(320_000) + bytes(339_900), ()),
        (wav(320_000) + bytes(319_900) + chunk(b"LIST", bytes(320_000)), ()),
        (wav(320_000) + bytes(319_900) + chunk(b"id3 ", bytes(320_000)), ()),
        (wav(320_000, kind=0x55) + bytes(640_000), ()),
        (long_wav(bytes(64_000), 0), READ_ON),
        # Joined by their bytes: the same form, and the second one's samples at a multiple of a frame.
        (2 * (wav(320_000) + bytes(319_900)), READ_ON),
        (2 * (wav(16_000) + bytes(15_900)), READ_ON),
        (2 * (wav(320_000) + bytes(319_900) + chunk(b"LIST", bytes(26))), READ_ON),
    ],
)
def test_sound_beyond_what_a_wavs_header_says(content: bytes, options: tuple[str, ...]) -> None:
    data = wav_data(reader(content))
    assert data is not None
    assert wav_options(data, len(content), reader(content)) == options


def in_24_bits(count: int) -> bytes:
    """Frames of six bytes, of which a header of 44 is no multiple."""
    form = struct.pack("<HHIIHH", 1, 2, 16_000, 96_000, 6, 24)
    return b"RIFF\xff\xff\xff\xffWAVE" + chunk(b"fmt ", form) + chunk(b"data", bytes(6 * count))


@pytest.mark.parametrize(
    "content", [wav(320_000) + bytes(319_900) + wav(320_000, kind=7) + bytes(319_900), in_24_bits(50_000) * 2]
)
def test_wavs_of_two_forms_or_between_frames_are_not_read_as_one(content: bytes) -> None:
    data = wav_data(reader(content))
    assert data is not None
    with pytest.raises(JoinedWavs):
        wav_options(data, len(content), reader(content))


def with_size(source: Path, target: Path, size: int, after: bytes = b"") -> Path:
    """The WAV with another size in its header, and `after` behind its samples."""
    content = bytearray(source.read_bytes())
    at = content.index(b"data")
    struct.pack_into("<I", content, 4, min(size + 36, 2**32 - 1))
    struct.pack_into("<I", content, at + 4, size)
    target.write_bytes(bytes(content) + after)
    return target


@pytest.mark.parametrize("size", [2_000_000_000, 0x40000000, 1_000_000_000, 0x7FFFFFFF, 0xFFFFFFFF, 0, 100_000])
async def test_the_size_in_a_wavs_header_is_a_hint(jfk: Path, tmp_path: Path, size: int) -> None:
    assert len(await decoded(with_size(jfk, tmp_path / "a.wav", size))) / SAMPLE_RATE == pytest.approx(11, abs=0.01)


@pytest.mark.parametrize("share", [0, 0.5])
async def test_of_mp3s_frames_in_a_wav_all_are_heard(jfk: Path, tmp_path: Path, share: float) -> None:
    """As a recorder leaves them that was switched off: the header names none, or a part."""
    content = bytearray(speech_as(jfk, tmp_path / "whole.wav", "-c:a", "libmp3lame").read_bytes())
    at = content.index(b"data") + 4
    (size,) = struct.unpack_from("<I", content, at)
    struct.pack_into("<I", content, at, int(size * share) // 4 * 4)
    (tmp_path / "a.wav").write_bytes(content)
    assert len(await decoded(tmp_path / "a.wav")) / SAMPLE_RATE == pytest.approx(11, abs=0.1)


async def test_a_picture_behind_the_samples_is_no_sound(jfk: Path, tmp_path: Path) -> None:
    picture = struct.pack("<4sI", b"id3 ", 200_000) + bytes(200_000)
    assert len(await decoded(with_size(jfk, tmp_path / "a.wav", 352_000, picture))) == 11 * SAMPLE_RATE


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
@pytest.mark.parametrize("share", [1, 0])
async def test_sizes_of_64_bits(jfk: Path, tmp_path: Path, magic: bytes, share: int) -> None:
    """Right, and as a recorder leaves them that was switched off."""
    samples = samples_of(jfk)
    (tmp_path / "a.wav").write_bytes(long_wav(samples, share * len(samples), magic))
    found = await decoded(tmp_path / "a.wav")
    assert len(found) == 11 * SAMPLE_RATE
    assert is_speech(found, jfk)


async def test_a_cut_is_found_by_them_and_behind_a_picture(jfk: Path, tmp_path: Path) -> None:
    samples, picture = samples_of(jfk), chunk(b"JUNK", bytes(200_000))
    for content in (long_wav(samples[:100_000], len(samples)), wav(len(samples), before=picture) + samples[:100_000]):
        (tmp_path / "cut.wav").write_bytes(content)
        assert "promises 11 s of audio, and 3 s are there" in (await refused(tmp_path / "cut.wav")).message


async def test_wavs_that_were_joined_are_all_heard(jfk: Path, tmp_path: Path) -> None:
    (tmp_path / "twice.wav").write_bytes(jfk.read_bytes() * 2)
    samples = await decoded(tmp_path / "twice.wav")
    assert len(samples) / SAMPLE_RATE == pytest.approx(22, abs=0.01)
    assert is_speech(samples[-11 * SAMPLE_RATE :], jfk)


async def test_those_of_two_forms_are_refused_in_these_words(jfk: Path, tmp_path: Path) -> None:
    other = speech_as(jfk, tmp_path / "b.wav", "-ar", "44100")
    (tmp_path / "two.wav").write_bytes(jfk.read_bytes() + other.read_bytes())
    message = "The file is several WAVs of different forms, one behind the other: send each of them by itself."
    assert (await refused(tmp_path / "two.wav")).message == message


@pytest.mark.parametrize(("code", "kind", "size"), [(1, ">i2", 2), (1, ">i4", 4), (3, ">f4", 4)])
async def test_rifx_has_its_high_bytes_first(jfk: Path, tmp_path: Path, code: int, kind: str, size: int) -> None:
    """ffmpeg itself makes noise of them."""
    whole = np.frombuffer(samples_of(jfk), "<i2").astype(np.float64) / 2**15
    samples = (whole if code == 3 else whole * 2.0 ** (8 * size - 1)).astype(kind).tobytes()
    form = b"fmt " + struct.pack(">IHHIIHH", 16, code, 1, 16_000, 16_000 * size, size, 8 * size)
    body = b"WAVE" + form + b"data" + struct.pack(">I", len(samples)) + samples
    (tmp_path / "a.wav").write_bytes(b"RIFX" + struct.pack(">I", len(body)) + body)
    assert is_speech(await decoded(tmp_path / "a.wav"), jfk)


def with_chunks(form: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A WAV of the chunk `fmt ` and others."""
    body = b"WAVE" + b"".join(chunk(name, content) for name, content in ((b"fmt ", form), *chunks))
    return b"RIFF" + struct.pack("<I", len(body)) + body


async def test_samples_in_two_chunks_are_refused(tmp_path: Path) -> None:
    """ffmpeg would read the last ones alone."""
    (tmp_path / "a.wav").write_bytes(with_chunks(FORM, (b"data", bytes(100_000)), (b"data", bytes(200_000))))
    assert "several WAVs" in (await refused(tmp_path / "a.wav")).message


@pytest.mark.parametrize(("bits", "valid"), [(32, 24), (32, 20), (32, 16), (24, 20), (32, 32)])
async def test_bits_that_are_not_used(jfk: Path, tmp_path: Path, bits: int, valid: int) -> None:
    """Of 24 in 32, as Windows records them, ffmpeg makes floats, and of these noise."""
    samples = whisper.load_audio(str(jfk))
    size = bits // 8
    wide = (samples * 32768).astype("<i4") << 16
    content = wide.view(np.uint8).reshape(-1, 4)[:, 4 - size :].tobytes()
    integers = bytes.fromhex("0100000000001000800000aa00389b71")
    form = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 16_000, 16_000 * size, size, bits, 22, valid, 4) + integers
    (tmp_path / "a.wav").write_bytes(with_chunks(form, (b"data", content)))
    assert np.array_equal(await decoded(tmp_path / "a.wav"), samples)
