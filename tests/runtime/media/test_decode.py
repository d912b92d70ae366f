"""Media is hostile: whatever is uploaded becomes samples or an error message."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
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


async def decoded(path: Path, max_seconds: float = 3600, timeout: float = 60) -> Samples:
    with path.open("rb") as media:
        return await decode.decode(media, max_seconds=max_seconds, timeout=timeout, on_bytes=lambda _: None)


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


async def test_of_many_tracks_it_takes_the_default_one(jfk: Path, tmp_path: Path) -> None:
    tone(tmp_path / "tone.wav", 3)
    tracks = ("-i", tmp_path / "tone.wav", "-i", jfk, "-map", "0:a", "-map", "1:a", "-map", "0:a", "-c:a", "flac")
    ffmpeg(*tracks, "-disposition:a", "0", "-disposition:a:1", "default", tmp_path / "many.mkv")
    assert len(await decoded(tmp_path / "many.mkv")) / SAMPLE_RATE == pytest.approx(11, abs=0.1)


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


LIMITED = decode.limited(1000, 5)


@pytest.mark.parametrize(
    ("attempt", "ends"),
    [
        ("pass", 0),
        ("open('/dev/null'); open('/dev/null')", 0),  # one after the other
        ("kept = open('/dev/null'); open('/dev/null')", 1),
        ("kept = open('/dev/null'); import _socket; _socket.socket()", 1),
        ("import os; os.write(1, bytes(1001)); os.write(1, bytes(1))", -signal.SIGXFSZ),
        ("bytes(2 << 30)", 1),
        ("import resource as r; assert r.getrlimit(r.RLIMIT_CPU) == (5, 5)", 0),
        ("import resource as r; assert r.getrlimit(r.RLIMIT_NPROC) == (0, 0)", 0),
        ("import resource as r; assert r.getrlimit(r.RLIMIT_CORE) == (0, 0)", 0),
    ],
)
async def test_the_kernel_holds_the_decoder_to_its_limits(tmp_path: Path, attempt: str, ends: int) -> None:
    with (tmp_path / "out").open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *LIMITED, sys.executable, "-ISc", f"import signal as s; s.signal(s.SIGXFSZ, s.SIG_DFL); {attempt}",
            stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await process.wait() == ends


async def test_the_decoder_ends_with_the_server(tmp_path: Path) -> None:
    """Killed outright, the server cannot end its decoders: the kernel does, and their output then ends."""
    decoder = f"{' '.join(LIMITED)} bash -c 'echo runs; exec sleep 60'"
    server = await asyncio.create_subprocess_exec("bash", "-c", f"{decoder} & wait", stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    assert await server.stdout.readline() == b"runs\n"
    server.send_signal(signal.SIGKILL)
    async with asyncio.timeout(10):
        assert await server.stdout.read() == b""
        await server.wait()


def test_this_machine_has_what_the_decoder_needs() -> None:
    assert all(os.access(f"/usr/bin/{program}", os.X_OK) for program in ("ffmpeg", "prlimit", "setpriv"))
