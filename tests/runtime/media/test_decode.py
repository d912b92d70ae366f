"""Media is hostile: whatever is uploaded becomes samples or an error message."""

from __future__ import annotations

import asyncio
import os
import tempfile
import wave
from asyncio import create_subprocess_exec
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import whisper

from tests.support.media_files import FORMATS, ffmpeg, speech_as, tone
from whisper_runtime.engine.interface import Samples
from whisper_runtime.media import decode
from whisper_runtime.media.decode import SAMPLE_RATE, AudioError


@pytest.fixture
def jfk(recordings: Path) -> Path:
    return recordings / "jfk.wav"


async def decoded(path: Path, max_seconds: float = 3600, timeout: float = 60, language: str | None = None) -> Samples:
    with path.open("rb") as media:
        return await decode.decode(
            media, max_seconds=max_seconds, timeout=timeout, on_bytes=lambda _: None, language=language
        )


async def refused(path: Path, max_seconds: float = 3600, timeout: float = 60) -> AudioError:
    with pytest.raises(AudioError) as error:
        await decoded(path, max_seconds, timeout)
    return error.value


@pytest.mark.parametrize("form", FORMATS)
async def test_every_common_format_becomes_what_whisper_itself_would_load(jfk: Path, tmp_path: Path, form: str) -> None:
    path = speech_as(jfk, tmp_path / f"speech.{form}")
    samples = await decoded(path)
    assert samples.dtype == np.float32
    assert len(samples) / SAMPLE_RATE == pytest.approx(11, abs=0.1)
    assert np.array_equal(samples, whisper.load_audio(str(path)))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("telephone.wav", ("-ar", "8000", "-ac", "2")),
        ("studio.wav", ("-ar", "96000", "-c:a", "pcm_s24le")),
        ("index-at-the-end.mp4", ()),
        ("index-at-the-start.mp4", ("-movflags", "+faststart")),
        ("fragments.mp4", ("-movflags", "frag_keyframe+empty_moov", "-frag_duration", "1000000")),
    ],
)
async def test_other_rates_channels_and_layouts(jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    path = speech_as(jfk, tmp_path / name, *options)
    assert np.array_equal(await decoded(path), whisper.load_audio(str(path)))


async def test_amr_as_phones_record_it(tmp_path: Path) -> None:
    """Written by hand, as Debian's ffmpeg only reads it: 50 frames of 20 ms at 4.75 kbit/s."""
    (tmp_path / "a.amr").write_bytes(b"#!AMR\n" + (b"\x04" + bytes(12)) * 50)
    assert len(await decoded(tmp_path / "a.amr")) / SAMPLE_RATE == pytest.approx(1, abs=0.05)


async def test_sphere_as_collections_of_speech_have_it(jfk: Path, tmp_path: Path) -> None:
    """Written by hand, as ffmpeg only reads it: a header of 1,024 bytes before the samples."""
    fields = ("sample_rate -i 16000", "channel_count -i 1", "sample_n_bytes -i 2", "sample_byte_format -s2 01")
    header = "\n".join(("NIST_1A", "   1024", *fields, "sample_coding -s3 pcm", "end_head", ""))
    samples = whisper.load_audio(str(jfk))
    pcm = (samples * 32768).astype("<i2").tobytes()
    (tmp_path / "a.sph").write_bytes(header.encode().ljust(1024) + pcm)
    assert np.array_equal(await decoded(tmp_path / "a.sph"), samples)


async def test_the_sound_of_a_video(jfk: Path, tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=duration=11:size=320x240", "-i", jfk, "-shortest", tmp_path / "video.mp4")
    assert len(await decoded(tmp_path / "video.mp4")) / SAMPLE_RATE == pytest.approx(11, abs=0.1)


async def test_the_sound_of_broadcasters_and_camcorders(jfk: Path, tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=duration=11:size=720x576:rate=25", "-i", jfk, "-ar", "48000")
    ffmpeg(*picture, "-c:v", "mpeg2video", tmp_path / "a.mxf")
    ffmpeg(*picture, "-ac", "2", "-pix_fmt", "yuv420p", tmp_path / "a.dv")
    for name in ("a.mxf", "a.dv"):
        assert len(await decoded(tmp_path / name)) / SAMPLE_RATE == pytest.approx(11, abs=0.1)


def is_speech(samples: Samples, jfk: Path) -> bool:
    """Whether these are the recording's samples, but for what an encoder changes, and not a tone."""
    wanted = whisper.load_audio(str(jfk))
    length = min(len(samples), len(wanted))
    return float(np.corrcoef(samples[:length], wanted[:length])[0, 1]) > 0.9


@pytest.fixture
def tone_and_speech(jfk: Path, tmp_path: Path) -> tuple[str | Path, ...]:
    """ffmpeg's arguments for two tracks: a tone of six channels, and the recording."""
    mix = "[0:a]pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0[tone]"
    source = ("-i", tone(tmp_path / "tone.wav", 11), "-i", jfk, "-filter_complex", mix)
    return (*source, "-map", "[tone]", "-map", "1:a", "-c:a", "flac")


@pytest.mark.parametrize(
    ("about", "language"),
    [
        (("-disposition:a:0", "0", "-disposition:a:1", "default"), None),
        (("-disposition:a:0", "default+comment", "-disposition:a:1", "0"), None),
        (("-disposition:a:0", "default", "-disposition:a:1", "0", "-metadata:s:a:1", "language=eng"), "en"),
        (("-metadata:s:a:0", "language=fre", "-metadata:s:a:1", "language=en"), "en"),
        (("-metadata:s:a:0", "title=Director's commentary"), None),
    ],
    ids=["the default one", "no commentary", "the language that is asked for", "of two", "no commentary by its title"],
)
async def test_of_several_tracks_it_takes(
    tone_and_speech: tuple[str | Path, ...], jfk: Path, tmp_path: Path, about: tuple[str, ...], language: str | None
) -> None:
    ffmpeg(*tone_and_speech, *about, tmp_path / "two.mkv")
    assert is_speech(await decoded(tmp_path / "two.mkv", language=language), jfk)


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
    assert (error.reason, error.message) == ("NotAudio", "The audio is in a codec that cannot be decoded here (apac).")


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


async def test_more_channels_than_can_be_mixed_are_refused(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "many.wav"), "wb") as file:
        file.setparams((65, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(bytes(130 * SAMPLE_RATE))
    assert (await refused(tmp_path / "many.wav")).message == "The audio has 65 channels: send at most 64."


async def test_channels_of_opposite_phase_do_not_cancel_each_other(jfk: Path, tmp_path: Path) -> None:
    path = speech_as(jfk, tmp_path / "wired-wrong.wav", "-af", "pan=stereo|c0=c0|c1=-1*c0")
    assert np.abs(whisper.load_audio(str(path))).max() < 1e-3
    assert is_speech(await decoded(path), jfk)


async def test_silence_stays_silence(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "anullsrc=channel_layout=stereo", "-t", "2", tmp_path / "silent.flac")
    assert not (await decoded(tmp_path / "silent.flac")).any()


@pytest.mark.parametrize("form", ["mkv", "mp4"])
async def test_sound_that_begins_after_the_picture_keeps_its_place(jfk: Path, tmp_path: Path, form: str) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=20")
    ffmpeg(*picture, "-itsoffset", "5", "-i", jfk, "-map", "0:v", "-map", "1:a", "-c:a", "aac", tmp_path / f"a.{form}")
    samples = await decoded(tmp_path / f"a.{form}")
    assert len(samples) / SAMPLE_RATE == pytest.approx(16, abs=0.1)
    assert np.abs(samples[: int(4.8 * SAMPLE_RATE)]).max() == 0


@pytest.mark.parametrize("form", ["webm", "mkv", "ts", "mp4"])
async def test_a_gap_in_the_sound_keeps_its_place(jfk: Path, tmp_path: Path, form: str) -> None:
    """As where a recording was paused, or packets were lost: eight seconds after the fifth."""
    path = speech_as(jfk, tmp_path / f"a.{form}", "-af", "asetpts='PTS+gte(T,5)*8/TB'")
    samples = await decoded(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(19, abs=0.15)
    assert np.abs(samples[6 * SAMPLE_RATE : 12 * SAMPLE_RATE]).max() < 0.01


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "pcm_s16le"), ("a.webm", "libopus"), ("a.mp4", "aac"), ("a.ts", "aac")]
)
async def test_where_the_clock_jumps_back_nothing_is_lost(jfk: Path, tmp_path: Path, name: str, codec: str) -> None:
    path = speech_as(jfk, tmp_path / name, "-af", "asetpts='PTS-gte(T,5)*2/TB'", "-c:a", codec)
    assert len(await decoded(path)) / SAMPLE_RATE == pytest.approx(11, abs=0.1)


@pytest.mark.parametrize("offsets", [(36_000, 0), (0, 36_000)])
async def test_a_jump_of_a_transport_streams_clock_is_no_length(
    jfk: Path, tmp_path: Path, offsets: tuple[int, int]
) -> None:
    """Two recordings that were joined, ten hours apart by their clocks."""
    parts = [
        speech_as(jfk, tmp_path / f"{number}.ts", "-c:a", "aac", "-output_ts_offset", str(offset)).read_bytes()
        for number, offset in enumerate(offsets)
    ]
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    assert len(await decoded(tmp_path / "joined.ts")) / SAMPLE_RATE == pytest.approx(22, abs=0.3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Empty"),
        (b"this is no audio" * 100, "NotAudio"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "NotAudio"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "NotAudio"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nAsk not.\n", "NotAudio"),
    ],
)
async def test_what_is_not_audio_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a").write_bytes(content)
    assert (await refused(tmp_path / "a")).reason == reason


async def test_what_is_too_long_is_refused_with_the_limit(tmp_path: Path) -> None:
    error = await refused(tone(tmp_path / "a.wav", 5), max_seconds=3)
    assert (error.reason, error.seconds) == ("TooLong", 5)
    assert "3 s" in error.message


async def test_what_is_longer_than_it_says_is_ended_at_the_limit(jfk: Path, tmp_path: Path) -> None:
    """A raw AAC stream says nothing of its length."""
    path = speech_as(jfk, tmp_path / "a.aac")
    assert (await refused(path, max_seconds=3)).reason == "TooLong"
    assert len(await decoded(path, max_seconds=11.2)) / SAMPLE_RATE == pytest.approx(11, abs=0.2)


@pytest.mark.parametrize("name", ["a.wav", "pipe.webm"])
async def test_the_size_of_the_samples_is_told_and_what_it_raises_ends_the_decoder(tmp_path: Path, name: str) -> None:
    """As the file declares it, or as it grows where the file has no length."""
    source, path, told = tone(tmp_path / "a.wav", 60), tmp_path / name, list[int]()
    if name != "a.wav":
        ffmpeg("-i", str(source), "-f", "webm", "-live", "1", str(path))
    with path.open("rb") as media:
        samples = await decode.decode(media, max_seconds=100, timeout=60, on_bytes=told.append)
    assert samples.nbytes - 64_000 <= max(told) <= samples.nbytes

    def refuse(size: int) -> None:
        if size:
            raise MemoryError

    before = decoders()
    with path.open("rb") as media, pytest.raises(MemoryError):
        await decode.decode(media, max_seconds=100, timeout=60, on_bytes=refuse)
    assert decoders() == before


@pytest.mark.parametrize("full", [True, False])
async def test_a_full_disk_is_not_the_files_fault_and_a_file_that_speaks_of_one_is(
    jfk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    title = "title=a: No space left on device"
    ffmpeg("-i", str(jfk), "-metadata", title, str(tmp_path / "a.flac"))
    if full:
        monkeypatch.setattr(tempfile, "TemporaryFile", partial(open, "/dev/full", "wb"))
        assert (await refused(tmp_path / "a.flac")).reason == "NoSpace"
    else:
        content = (tmp_path / "a.flac").read_bytes()
        (tmp_path / "b.flac").write_bytes(content[:9000] + bytes(len(content) - 9000))
        assert (await refused(tmp_path / "b.flac")).reason == "Damaged"


async def test_a_decoder_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    before = decoders()
    assert (await refused(tone(tmp_path / "a.flac", 600), timeout=0.001)).reason == "TimedOut"
    assert decoders() == before


async def test_a_decoder_ends_with_its_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, before, start, started = tone(tmp_path / "a.flac", 600), decoders(), create_subprocess_exec, asyncio.Event()

    async def observed(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*arguments, **options)
        started.set()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", observed)
    task = asyncio.create_task(decoded(path))
    await started.wait()
    assert decoders() != before
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert decoders() == before


def decoders() -> set[str]:
    """Processes that this one has started and that still run."""
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


async def test_decoded_audio_has_no_name_on_the_disk(
    jfk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    samples = await decoded(jfk)
    assert len(samples)
    assert not list(tmp_path.iterdir())


def test_this_machine_has_what_the_decoder_needs() -> None:
    assert all(os.access(f"/usr/bin/{program}", os.X_OK) for program in ("ffmpeg", "prlimit", "setpriv"))
