"""A known speaker's reference is decoded as any file is, and is a 400 that names it where it cannot be used."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fakes.engine import fake_decode
from whisper_runtime.errors import HttpError
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
