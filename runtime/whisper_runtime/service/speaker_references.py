"""The recordings of known speakers' voices, decoded as any other file is."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Final

import numpy as np

from whisper_runtime.diarization.interface import KnownSpeaker
from whisper_runtime.errors import HttpError
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.media.raw_audio import DeclaredType
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.service.audio_loading import DECODE_SECONDS, Decode
from whisper_runtime.service.decode_slots import DecodeSlots
from whisper_runtime.service.disk_quota import disk_full
from whisper_runtime.service.speaker_options import SpeakerReference

FIELD: Final = "known_speaker_references[]"
SHORTEST, LONGEST = 2.0, 10.0
"""Seconds of a reference, in OpenAI's API and here."""
TOLERANCE: Final = 0.1
"""Seconds by which a codec may make a recording longer, or shorter."""


@dataclass(frozen=True)
class ReferenceLoader:
    decode: Decode[DecodedAudio]
    slots: DecodeSlots
    """Those of other files."""

    async def load(self, references: Sequence[SpeakerReference]) -> Sequence[KnownSpeaker]:
        """The speakers, in the order of their references; raises HttpError (400), which names the first bad one."""
        if not references:
            return ()
        async with self.slots.take():
            return [await self._load(number, one) for number, one in enumerate(references, 1)]

    async def _load(self, number: int, reference: SpeakerReference) -> KnownSpeaker:
        with tempfile.TemporaryFile() as file:  # which the decoder gets as its standard input
            await asyncio.to_thread(file.write, reference.content)
            await asyncio.to_thread(file.seek, 0)
            decoded = await self._decoded(number, reference, file)
        if (seconds := len(decoded.samples) / SAMPLE_RATE) < SHORTEST - TOLERANCE:
            raise _wrong_length(number, reference.name, f"has {seconds:.1f} s")
        return KnownSpeaker(reference.name, np.array(decoded.samples))  # not the file on the disk

    async def _decoded(self, number: int, reference: SpeakerReference, file: IO[bytes]) -> DecodedAudio:
        try:
            return await self.decode(
                file,
                max_seconds=LONGEST + TOLERANCE,
                timeout=DECODE_SECONDS,
                on_bytes=lambda _: None,  # ten seconds need no room of their own on the disk
                languages=(),
                declared=DeclaredType(reference.media_type, ""),
            )
        except AudioError as error:
            if error.reason == "NoSpace":
                raise disk_full() from None
            if error.reason == "TooLong":
                raise _wrong_length(number, reference.name, f"has more than {LONGEST:.0f} s") from None
            why = error.message[:1].lower() + error.message[1:]
            raise unusable(f"`{FIELD}` number {number}, of {reference.name!r}, cannot be decoded: {why}") from None


def unusable(message: str) -> HttpError:
    """400 for a reference that cannot be used."""
    return HttpError(400, message, param=FIELD, code="invalid_value")


def _wrong_length(number: int, name: str, what: str) -> HttpError:
    remedy = f"send {SHORTEST:.0f} to {LONGEST:.0f} s of one voice"
    return unusable(f"`{FIELD}` number {number}, of {name!r}, {what} of audio: {remedy}.")
