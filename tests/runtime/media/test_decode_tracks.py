"""Of a file's tracks one is decoded, and all channels of it."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
import whisper

from tests.runtime.media.conftest import audio, decoded, is_speech, refused
from tests.support.media_files import ffmpeg, speech_as, tone
from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE


@pytest.fixture
def tone_and_speech(jfk: Path, tmp_path: Path) -> tuple[str | Path, ...]:
    """ffmpeg's arguments for two tracks: a tone of six channels, and the recording."""
    mix = "[0:a]pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0[tone]"
    source = ("-i", tone(tmp_path / "tone.wav", 11), "-i", jfk, "-filter_complex", mix)
    return (*source, "-map", "[tone]", "-map", "1:a", "-c:a", "flac")


@pytest.mark.parametrize(
    ("about", "languages"),
    [
        (("-disposition:a:0", "0", "-disposition:a:1", "default"), ()),
        (("-disposition:a:0", "default+comment", "-disposition:a:1", "0"), ()),
        (("-disposition:a:0", "default", "-disposition:a:1", "0", "-metadata:s:a:1", "language=eng"), ("en",)),
        (("-metadata:s:a:0", "language=fre", "-metadata:s:a:1", "language=en"), ("en",)),
        (("-metadata:s:a:0", "title=Director's commentary"), ()),
    ],
    ids=["the default one", "no commentary", "the language that is asked for", "of two", "no commentary by its title"],
)
async def test_of_several_tracks_it_takes(
    tone_and_speech: tuple[str | Path, ...],
    jfk: Path,
    tmp_path: Path,
    about: tuple[str, ...],
    languages: tuple[str, ...],
) -> None:
    ffmpeg(*tone_and_speech, *about, tmp_path / "two.mkv")
    assert is_speech(await decoded(tmp_path / "two.mkv", languages=languages), jfk)


async def test_a_description_for_the_blind_is_passed_over_by_its_role_in_an_mp4(
    tone_and_speech: tuple[str | Path, ...], jfk: Path, tmp_path: Path
) -> None:
    role = ("-c:a", "aac", "-disposition:a:0", "default+descriptions", "-disposition:a:1", "0")
    ffmpeg(*tone_and_speech, *role, tmp_path / "two.mp4")
    assert is_speech(await decoded(tmp_path / "two.mp4"), jfk)


async def test_among_equals_it_takes_the_one_with_most_channels(
    tone_and_speech: tuple[str | Path, ...], jfk: Path, tmp_path: Path
) -> None:
    """As ffmpeg itself does, and with it `whisper.load_audio`."""
    ffmpeg(*tone_and_speech, "-disposition:a", "0", tmp_path / "two.mkv")
    samples = await decoded(tmp_path / "two.mkv")
    assert np.array_equal(samples, whisper.load_audio(str(tmp_path / "two.mkv")))
    assert not is_speech(samples, jfk)


def spatial(jfk: Path, target: Path, first: str = "aac") -> Path:
    """A film of a phone: a track of spatial sound, which ffmpeg cannot decode, is flagged as the default, too."""
    four = "[0:a]asplit=2[a][b];[b]pan=quad|c0=c0|c1=c0|c2=c0|c3=c0[c]"
    tracks = ("-map", "[a]", "-map", "[c]", "-c:a:0", first, "-c:a:1", "pcm_s16le")
    ffmpeg("-i", jfk, "-filter_complex", four, *tracks, "-disposition:a", "default", target)
    content = target.read_bytes()
    target.write_bytes(content.replace(b"sowt", b"apac"))
    return target


async def test_a_track_that_cannot_be_decoded_is_passed_over(jfk: Path, tmp_path: Path) -> None:
    assert is_speech(await decoded(spatial(jfk, tmp_path / "film.mov")), jfk)


async def test_where_no_track_can_be_decoded_the_codec_is_named(jfk: Path, tmp_path: Path) -> None:
    error = await refused(spatial(jfk, tmp_path / "film.mov", first="pcm_s16le"))
    message = "The audio is in a codec that cannot be decoded here (apac): send it as PCM, MP3 or AAC."
    assert (error.reason, error.message) == ("NotAudio", message)


async def test_so_is_a_wavs_by_its_number(tmp_path: Path) -> None:
    """As exchanges record calls in a kind of G.729's that has no public name."""
    form = struct.pack("<HHIIHHH", 0x133, 1, 8000, 1000, 10, 0, 0)
    body = b"WAVEfmt \x12\0\0\0" + form + b"data\xd0\7\0\0" + bytes(range(250)) * 8
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert "cannot be decoded here (0x0133): send it as PCM" in (await refused(tmp_path / "a.wav")).message


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "flac"), ("a.mov", "pcm_s16le"), ("a.mp4", "aac")])
async def test_a_silent_track_is_passed_over(jfk: Path, tmp_path: Path, name: str, codec: str) -> None:
    """A screen recorder has the desktop in its first track, a camera an empty socket, a broadcaster eight tracks."""
    silence = ("-f", "lavfi", "-i", "anullsrc=r=16000:cl=stereo:d=11", "-i", jfk)
    ffmpeg(*silence, "-map", "0", "-map", "0", "-map", "1", "-map", "0", "-c:a", codec, "-t", "11", tmp_path / name)
    found = await audio(tmp_path / name)
    assert is_speech(found.samples, jfk)
    assert found.track is not None
    assert found.track.index == 2


async def test_so_is_one_without_a_sample(jfk: Path, tmp_path: Path) -> None:
    empty = ("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-i", jfk, "-filter_complex", "[0:a]atrim=0:0[a]")
    ffmpeg(*empty, "-map", "[a]", "-map", "1:a", "-c:a", "flac", tmp_path / "a.mkv")
    assert is_speech(await decoded(tmp_path / "a.mkv"), jfk)


async def test_where_all_are_silent_the_first_one_is_taken(tmp_path: Path) -> None:
    silence = ("-f", "lavfi", "-i", "anullsrc=r=16000:cl=stereo:d=2")
    ffmpeg(*silence, "-map", "0", "-map", "0", "-c:a", "flac", "-t", "2", tmp_path / "a.mkv")
    found = await audio(tmp_path / "a.mkv")
    assert not found.samples.any()
    assert found.track is not None
    assert found.track.index == 0


async def test_a_kind_of_aac_that_cannot_be_decoded_is_named(jfk: Path, tmp_path: Path) -> None:
    """xHE-AAC, by the number of its kind (42, ISO/IEC 14496-3, 1.6.2.1) in the place of the usual one."""
    content = speech_as(jfk, tmp_path / "a.m4a").read_bytes()
    at = content.index(b"\x05\x80\x80\x80", content.index(b"esds")) + 5
    kind = struct.pack(">H", 31 << 11 | 10 << 5 | 3 << 1)
    (tmp_path / "a.m4a").write_bytes(content[:at] + kind + content[at + 2 :])
    error = await refused(tmp_path / "a.m4a")
    message = "The audio is in a kind of aac that cannot be decoded here: send WAV or MP3."
    assert (error.reason, error.message) == ("NotAudio", message)


async def test_fonts_and_subtitles_are_no_tracks(jfk: Path, tmp_path: Path) -> None:
    (tmp_path / "a.ttf").write_text("a font")
    fonts = [argument for _ in range(60) for argument in ("-attach", tmp_path / "a.ttf")]
    ffmpeg("-i", jfk, *fonts, "-metadata:s:t", "mimetype=font/ttf", "-c:a", "copy", tmp_path / "fonts.mkv")
    assert is_speech(await decoded(tmp_path / "fonts.mkv"), jfk)


@pytest.mark.parametrize("channels", [3, 9, 12, 60])
async def test_any_number_of_channels(jfk: Path, tmp_path: Path, channels: int) -> None:
    """As editors export them, without a layout."""
    pcm = (whisper.load_audio(str(jfk)) * 32768).astype("<i2")
    with wave.open(str(tmp_path / "many.wav"), "wb") as file:
        file.setparams((channels, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(np.repeat(pcm, channels).tobytes())
    assert is_speech(await decoded(tmp_path / "many.wav"), jfk)


@pytest.mark.parametrize(("channels", "speaking"), [(3, 2), (4, 3), (6, 3), (8, 3), (10, 9)])
async def test_no_microphone_of_several_is_left_out(jfk: Path, tmp_path: Path, channels: int, speaking: int) -> None:
    """A file without a layout: ffmpeg guesses one, and mixes without the channel that it takes for low tones."""
    pcm = (whisper.load_audio(str(jfk)) * 32768).astype("<i2")
    microphones = np.zeros((len(pcm), channels), dtype="<i2")
    microphones[:, speaking] = pcm
    with wave.open(str(tmp_path / "many.wav"), "wb") as file:
        file.setparams((channels, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(microphones.tobytes())
    assert is_speech(await decoded(tmp_path / "many.wav"), jfk)


def wav_with_places(path: Path, samples: Samples, channels: int, mask: int, speaking: int) -> Path:
    """A WAV that says which loudspeaker each channel is for (WAVEFORMATEXTENSIBLE's dwChannelMask)."""
    all_of_them = np.zeros((len(samples), channels), dtype="<i2")
    all_of_them[:, speaking] = samples * 32768
    integers = bytes.fromhex("0100000000001000800000aa00389b71")
    frame = 2 * channels
    form = struct.pack("<HHIIHHHHI", 0xFFFE, channels, SAMPLE_RATE, SAMPLE_RATE * frame, frame, 16, 22, 16, mask)
    content = all_of_them.tobytes()
    chunks = b"fmt " + struct.pack("<I", 40) + form + integers + b"data" + struct.pack("<I", len(content)) + content
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


@pytest.mark.parametrize(
    ("channels", "mask", "speaking"),
    [(6, 0x3F, 2), (6, 0x3F, 3), (12, 0x2D63F, 2), (12, 0x2D63F, 10)],
    ids=["5.1: centre", "5.1: low tones", "7.1.4: centre", "7.1.4: ceiling"],
)
async def test_a_microphone_in_the_place_of_any_loudspeaker(
    jfk: Path, tmp_path: Path, channels: int, mask: int, speaking: int
) -> None:
    """Recorders and editors write surround's places for whatever they have in six tracks or twelve."""
    path = wav_with_places(tmp_path / "a.wav", whisper.load_audio(str(jfk)), channels, mask, speaking)
    assert is_speech(await decoded(path), jfk)


async def test_more_channels_than_can_be_mixed_are_refused(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "many.wav"), "wb") as file:
        file.setparams((65, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(bytes(130 * SAMPLE_RATE))
    assert (await refused(tmp_path / "many.wav")).message == "The audio has 65 channels: send at most 64."


async def test_channels_of_opposite_phase_do_not_cancel_each_other(jfk: Path, tmp_path: Path) -> None:
    path = speech_as(jfk, tmp_path / "wired-wrong.wav", "-af", "pan=stereo|c0=c0|c1=-1*c0")
    assert np.abs(whisper.load_audio(str(path))).max() < 1e-3
    assert is_speech(await decoded(path), jfk)


NOISE = "anoisesrc=amplitude=0.004:sample_rate=16000:duration=11:seed="
HUM = "sine=frequency=50:sample_rate=16000:duration=11,volume=0.2,pan=stereo|c0=c0|c1=c0[beside]"


@pytest.mark.parametrize(
    "beside", [f"{NOISE}1[a];{NOISE}2[b];[a][b]join=inputs=2:channel_layout=stereo[beside]", HUM], ids=["noise", "hum"]
)
async def test_nor_do_they_where_their_mix_is_not_silent(jfk: Path, tmp_path: Path, beside: str) -> None:
    """A line has noise, or a hum, in both channels."""
    opposite = "[0:a]pan=stereo|c0=c0|c1=-1*c0[speech]"
    mix = f"{opposite};{beside};[speech][beside]amix=inputs=2:normalize=0"
    ffmpeg("-i", jfk, "-filter_complex", mix, tmp_path / "a.wav")
    assert np.abs(whisper.load_audio(str(tmp_path / "a.wav"))).max() > 0.003
    assert is_speech(await decoded(tmp_path / "a.wav"), jfk)


@pytest.mark.parametrize("pan", ["c0=c0|c1=c0", "c0=0*c0|c1=c0", "c0=c0|c1=0*c0"])
async def test_a_quiet_recording_stays_the_mix_of_its_channels(jfk: Path, tmp_path: Path, pan: str) -> None:
    path = speech_as(jfk, tmp_path / "quiet.wav", "-af", f"volume=0.02,pan=stereo|{pan}")
    assert np.array_equal(await decoded(path), whisper.load_audio(str(path)))


async def test_silence_stays_silence(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "anullsrc=channel_layout=stereo", "-t", "2", tmp_path / "silent.flac")
    assert not (await decoded(tmp_path / "silent.flac")).any()
