"""Keeps decoded samples in a file, and reads the very same samples back: a long recording as FLAC, a short one as WAV.

FLAC takes less of the disk. To start ffmpeg twice takes longer than a short recording takes to be transcribed on a GPU.
"""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Collection, Sequence
from typing import IO, Final

import numpy as np

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.decode import decode
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.ffmpeg_process import OnBytes
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.media.flac import as_16_bits, encode_flac
from whisper_runtime.media.raw_audio import UNDECLARED, DeclaredType
from whisper_runtime.media.refusals import AudioError

SHORT_SECONDS: Final = 120
"""A recording that is not longer takes at most 4 MB as WAV."""
WAV_HEAD: Final = b"RIFF"


async def keep_audio(recordings: Sequence[Samples], target: IO[bytes], timeout: float) -> None:
    """Writes the recordings, one behind the other, as one of 16 bits, mono, at 16 kHz.

    Each is of samples that decode.decode gave. `target` is a file of the operating system's. Raises NotEncoded or
    OSError where it cannot be written, NotEncoded after `timeout` seconds.
    """
    if sum(map(len, recordings)) <= SHORT_SECONDS * SAMPLE_RATE:
        await asyncio.to_thread(_write_wav, recordings, target)
    else:
        await encode_flac(recordings, target, timeout)


async def read_audio(
    media: IO[bytes],
    *,
    max_seconds: float,
    timeout: float,
    on_bytes: OnBytes,
    languages: Collection[str] = (),
    declared: DeclaredType = UNDECLARED,
) -> DecodedAudio:
    """What keep_audio has written; otherwise as decode.decode."""
    head = media.read(len(WAV_HEAD))
    media.seek(0)
    if head == WAV_HEAD:
        samples = await asyncio.to_thread(_read_wav, media)
        on_bytes(samples.nbytes)
        return DecodedAudio(samples, None)
    return await decode(
        media, max_seconds=max_seconds, timeout=timeout, on_bytes=on_bytes, languages=languages, declared=declared
    )


def _write_wav(recordings: Sequence[Samples], target: IO[bytes]) -> None:
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for samples in recordings:
            file.writeframes(as_16_bits(samples))


def _read_wav(media: IO[bytes]) -> Samples:
    try:
        with wave.open(media, "rb") as file:
            return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768.0
    except (wave.Error, EOFError) as error:
        raise AudioError("Damaged", f"The recording that was kept is damaged ({error}).") from None
