"""A known speaker's reference is decoded as any file is, and is a 400 that names it where it cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.engine import fake_decode
from tests.support.media_files import ffmpeg
from whisper_runtime.errors import HttpError
from whisper_runtime.media.decode import decode
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.service.decode_slots import DecodeSlots
from whisper_runtime.service.speaker_options import SpeakerReference
from whisper_runtime.service.speaker_references import ReferenceLoader

LOADER = ReferenceLoader(fake_decode, DecodeSlots(1))


def reference(name: str, content: bytes) -> SpeakerReference:
    return SpeakerReference(name, "0", content, "audio/wav")


async def test_each_name_has_its_samples() -> None:
    found = await LOADER.load([reference("Ada", b"speech 2"), reference("Bob", b"speech 10")])
    assert [(one.name, len(one.samples)) for one in found] == [("Ada", 32_000), ("Bob", 160_000)]
    assert all(isinstance(one.samples, np.ndarray) and one.samples.dtype == np.float32 for one in found)


async def test_without_a_reference_nobody_is_known() -> None:
    assert await LOADER.load([]) == ()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"noise", "number 2, of 'Bob', cannot be decoded: the file is not audio."),
        (b"", "number 2, of 'Bob', cannot be decoded: the file is empty."),
        (b"speech 1", "number 2, of 'Bob', has 1.0 s of audio: send 2 to 10 s of one voice."),
        (b"speech 11", "number 2, of 'Bob', has more than 10 s of audio: send 2 to 10 s of one voice."),
    ],
)
async def test_a_bad_one_is_named(content: bytes, says: str) -> None:
    with pytest.raises(HttpError) as raised:
        await LOADER.load([reference("Ada", b"speech 2"), reference("Bob", content)])
    body = raised.value.body
    assert (raised.value.status_code, body["param"]) == (400, "known_speaker_references[]")
    assert body["message"] == f"`known_speaker_references[]` {says}"


async def test_a_full_disk_is_no_fault_of_the_reference() -> None:
    async def full(*_: object, **__: object) -> DecodedAudio:
        raise AudioError("NoSpace", "no space")

    with pytest.raises(HttpError) as raised:
        await ReferenceLoader(full, DecodeSlots(1)).load([reference("Ada", b"speech 2")])
    assert raised.value.status_code == 503


REAL = ReferenceLoader(decode, DecodeSlots(1))
TONE = ("-f", "lavfi", "-i", "sine=f=440:d=3")
PICTURES = ("-f", "lavfi", "-i", "testsrc=d=3:s=64x48:r=5")


def made(path: Path, *options: str) -> SpeakerReference:
    ffmpeg(*options, path)
    return SpeakerReference("Ada", "0", path.read_bytes(), "")


@pytest.mark.slow
async def test_a_film_is_taken_for_its_sound_and_is_named_where_it_has_none(tmp_path: Path) -> None:
    film = made(tmp_path / "film.mp4", *PICTURES, *TONE, "-c:a", "aac")
    (found,) = await REAL.load([film])
    assert len(found.samples) == pytest.approx(3 * 16_000, abs=3000)
    silent = made(tmp_path / "silent.mp4", *PICTURES)
    with pytest.raises(HttpError, match=r"number 1, of 'Ada', cannot be decoded: .* (no|not) ") as raised:
        await REAL.load([silent])
    assert raised.value.status_code == 400


@pytest.mark.slow
async def test_a_telephones_stereo_is_taken(tmp_path: Path) -> None:
    call = made(tmp_path / "call.wav", *TONE, "-ar", "8000", "-ac", "2")
    (found,) = await REAL.load([call])
    assert found.samples.shape == (48_000,)
