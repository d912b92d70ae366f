"""Media is hostile: whatever is uploaded becomes samples or an error message."""

from __future__ import annotations

import asyncio
import os
import tempfile
from asyncio import create_subprocess_exec
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import whisper

from tests.runtime.media.conftest import decoded, refused
from tests.support.media_files import FORMATS, ffmpeg, speech_as, tone
from whisper_runtime.media import decode
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE


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
        samples = (await decode.decode(media, max_seconds=100, timeout=60, on_bytes=told.append)).samples
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


@pytest.mark.parametrize("form", ["wav", "mp3", "m4a", "webm"])
async def test_a_file_of_one_track_is_read_once(
    jfk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    path, start, started = speech_as(jfk, tmp_path / f"a.{form}"), create_subprocess_exec, list[str]()

    async def observed(*arguments: str, **options: Any) -> asyncio.subprocess.Process:
        started.extend(one for one in arguments if one in ("ffmpeg", "ffprobe"))
        return await start(*arguments, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", observed)
    await decoded(path)
    assert started == ["ffmpeg"]


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
