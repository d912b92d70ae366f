"""By its first bytes alone a file is told to ffmpeg: as it is, as it is declared, as a WAV whose header is wrong."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from tests.runtime.media.conftest import decoded, refused
from tests.support.media_files import speech_as
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.raw_audio import UNDECLARED, DeclaredType, UnclearType
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.media.source import LATE, Source, source_of


def opened(path: Path, declared: DeclaredType = UNDECLARED) -> Source:
    with path.open("rb") as media:
        return source_of(media, declared)


@pytest.mark.parametrize(("name", "options"), [("a.mp3", ()), ("a.flac", ()), ("a.ogg", ("-c:a", "libopus"))])
def test_a_file_with_a_header_is_left_to_ffmpeg(jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    found = opened(speech_as(jfk, tmp_path / name, *options))
    assert (found.raw, found.wav, found.options, found.decoding, found.is_chain) == (None, None, (), (), False)


def test_a_wav_has_its_header(jfk: Path) -> None:
    found = opened(jfk)
    assert found.wav is not None
    assert found.head == jfk.read_bytes()[: len(found.head)]


async def test_a_file_without_a_header_is_what_it_is_declared_to_be(tmp_path: Path) -> None:
    (tmp_path / "call").write_bytes(b"\xff" * 800)
    found = opened(tmp_path / "call", DeclaredType("audio/PCMU", "call"))
    assert found.raw is not None
    assert found.options == found.raw.options
    assert await found.tracks() == (found.raw.track,)


def test_a_type_that_lacks_what_it_needs_is_told(tmp_path: Path) -> None:
    (tmp_path / "call").write_bytes(b"\xff" * 800)
    with pytest.raises(UnclearType, match="rate"):
        opened(tmp_path / "call", DeclaredType("audio/L16", "call"))


def test_oggs_one_behind_the_other_are_a_chain(jfk: Path, tmp_path: Path) -> None:
    one = speech_as(jfk, tmp_path / "a.ogg", "-c:a", "libopus").read_bytes()
    (tmp_path / "both.ogg").write_bytes(one + one)
    assert opened(tmp_path / "both.ogg").is_chain


def test_a_film_can_be_searched_further_for_its_sound(jfk: Path) -> None:
    found = opened(jfk)
    further = found.searched_further()
    assert (found.is_searched_further, further.is_searched_further) == (False, True)
    assert f"{LATE}M" in further.options
    assert further.options[: len(found.options)] == found.options


def test_the_parts_of_a_stream_are_files_of_their_own(jfk: Path, tmp_path: Path) -> None:
    parts = [
        speech_as(jfk, tmp_path / f"{pid}.ts", "-c:a", "aac", "-streamid", f"0:{pid}").read_bytes()
        for pid in (300, 400)
    ]
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    with (tmp_path / "joined.ts").open("rb") as media:
        source = source_of(media, UNDECLARED)
        assert len(source.later_parts) == 1
        for number in (0, 1):
            with (tmp_path / f"part-{number}").open("w+b") as target:
                assert source.part(number, target).later_parts == ()
    copies = [(tmp_path / f"part-{number}").read_bytes() for number in (0, 1)]
    assert b"".join(copies) == b"".join(parts)
    assert abs(len(copies[0]) - len(parts[0])) <= 188  # the packet that says what programs there are, or one before it


def test_samples_that_are_sound_in_a_codec_are_refused(tmp_path: Path) -> None:
    """Given a WAV of two channels of 16 bits, and a burst of E-AC-3."""
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((2, 2, 48000, 0, "NONE", ""))
        file.writeframes(b"\x72\xf8\x1f\x4e\x15\0" + bytes(6000))
    with pytest.raises(AudioError) as error:
        opened(tmp_path / "a.wav")
    assert error.value.reason == "NotAudio"


TITLE = b"ID3\3\0\0\0\0\0\x0a" + bytes(10)


async def test_a_wav_behind_a_title_is_one(jfk: Path, tmp_path: Path) -> None:
    """As some taggers write it: of two both are read, and of a part it is said."""
    whole, path = jfk.read_bytes(), tmp_path / "a.wav"
    for content, seconds in ((whole, 11), (whole + whole, 22)):
        path.write_bytes(TITLE + content)
        assert len(await decoded(path)) / SAMPLE_RATE == pytest.approx(seconds, abs=0.1)
    path.write_bytes(TITLE + whole[: len(whole) // 2])
    assert "cut short" in (await refused(path)).message
