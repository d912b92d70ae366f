"""FLAC of decoded speech takes less than PCM, and is the speech that whisper.load_audio gives."""

from __future__ import annotations

import tempfile

import numpy as np
import whisper

from testbed.inputs import recordings
from whisper_runtime.media.decode import decode
from whisper_runtime.media.flac import as_16_bits, encode_flac


async def test_speech_is_what_whisper_loads_and_takes_less_than_pcm() -> None:
    path = recordings.ensure() / "jfk.wav"
    with path.open("rb") as file:
        samples = (await decode(file, max_seconds=600, timeout=60, on_bytes=lambda _: None)).samples
    with tempfile.TemporaryFile() as flac:
        await encode_flac([samples], flac, timeout=60)
        size = flac.seek(0, 2)
        flac.seek(0)
        found = (await decode(flac, max_seconds=600, timeout=60, on_bytes=lambda _: None)).samples
    assert np.array_equal(found, samples)
    assert np.array_equal(found, whisper.load_audio(str(path)))
    assert size < 0.7 * (len(samples) * 2)


def test_samples_are_little_endian_and_within_16_bits() -> None:
    samples = np.array([0.0, 1 / 32768, -1.0, 1.0], np.float32)
    assert as_16_bits(samples) == bytes.fromhex("0000 0100 0080 ff7f")
