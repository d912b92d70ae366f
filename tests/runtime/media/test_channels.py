"""Each channel of a recording is what a file with this channel alone would be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.media_files import ffmpeg, tone
from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.channels import decode_channels
from whisper_runtime.media.decode import decode
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.ffmpeg_process import BYTES_PER_SECOND
from whisper_runtime.media.refusals import AudioError


async def channels(path: Path, max_seconds: float = 3600, sizes: list[int] | None = None) -> list[Samples]:
    with path.open("rb") as media:
        told = list[int]() if sizes is None else sizes
        found = await decode_channels(media, max_seconds=max_seconds, timeout=60, on_bytes=told.append)
        return [one.samples for one in found]


async def alone(path: Path) -> Samples:
    with path.open("rb") as media:
        return (await decode(media, max_seconds=3600, timeout=60, on_bytes=lambda _: None)).samples


async def refused(path: Path, max_seconds: float = 3600) -> AudioError:
    with pytest.raises(AudioError) as error:
        await channels(path, max_seconds)
    return error.value


def of_tones(target: Path, count: int, *options: str) -> Path:
    """A file of so many channels with a tone in each, of 300 Hz, 400 Hz …"""
    tones = [f"sine=frequency={300 + 100 * number}:duration=2[{number}]" for number in range(count)]
    merged = "".join(f"[{number}]" for number in range(count)) + f"amerge=inputs={count}"
    ffmpeg("-filter_complex", ";".join((*tones, merged)), *options, target)
    return target


def pitches(found: list[Samples]) -> list[int]:
    """The loudest frequency of each, in Hz."""
    spectra = [np.abs(np.fft.rfft(samples[:SAMPLE_RATE])) for samples in found]
    return [int(spectrum.argmax()) for spectrum in spectra]


@pytest.mark.parametrize("rate", ["8000", "16000", "44100"])
async def test_two_sides_of_a_call(recordings: Path, tmp_path: Path, rate: str) -> None:
    call, side = tmp_path / "call.wav", tmp_path / "side.wav"
    sides = "[0]asplit[a][b];[b]adelay=3000[c];[a][c]join=inputs=2:channel_layout=stereo"
    ffmpeg("-i", recordings / "jfk.wav", "-filter_complex", sides, "-ar", rate, call)
    found = await channels(call)
    assert len(found) == 2
    for number, samples in enumerate(found):
        ffmpeg("-i", call, "-af", f"pan=mono|c0=c{number}", side)
        assert np.array_equal(samples, await alone(side))


@pytest.mark.parametrize(("name", "count"), [("a.wav", 3), ("a.flac", 6), ("a.wav", 8), ("a.mka", 2)])
async def test_channels_keep_their_order(tmp_path: Path, name: str, count: int) -> None:
    found = await channels(of_tones(tmp_path / name, count))
    assert pitches(found) == [300 + 100 * number for number in range(count)]


async def test_opposite_phases_stay_what_they_are(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-af", "pan=stereo|c0=c0|c1=-1*c0", tmp_path / "a.wav")
    left, right = await channels(tmp_path / "a.wav")
    assert np.abs(left + right).max() < 1e-4
    assert np.abs(left).max() > 0.1


async def test_one_channel_is_the_recording(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav")
    (found,) = await channels(path)
    assert np.array_equal(found, await alone(path))


async def test_all_channels_count_for_length_and_disk(tmp_path: Path) -> None:
    path, sizes = of_tones(tmp_path / "a.wav", 4), list[int]()
    assert len(await channels(path, 8, sizes)) == 4
    assert max(sizes) == 4 * 2 * BYTES_PER_SECOND
    error = await refused(path, 7.9)
    assert (error.reason, error.seconds) == ("TooLong", 8)


async def test_nine_channels_are_too_many(tmp_path: Path) -> None:
    error = await refused(of_tones(tmp_path / "a.wav", 9))
    assert (error.reason, error.message) == (
        "NotAudio",
        "The audio has 9 channels, and at most 8 are transcribed one by one: leave `channels` out, or send those that "
        "have speech.",
    )


@pytest.mark.parametrize(("content", "reason"), [(b"", "Empty"), (b"no audio at all", "NotAudio")])
async def test_what_is_no_audio_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    assert (await refused(tmp_path / "a.wav")).reason == reason


async def test_those_of_a_stream_whose_sound_goes_on_in_another_track_cannot_be_told_apart(tmp_path: Path) -> None:
    parts = [
        of_tones(tmp_path / f"{pid}.ts", 2, "-c:a", "aac", "-streamid", f"0:{pid}").read_bytes() for pid in (300, 400)
    ]
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    assert "goes on in another track" in (await refused(tmp_path / "joined.ts")).message
