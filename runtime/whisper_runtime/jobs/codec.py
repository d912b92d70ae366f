"""How a job's audio is written and read."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.decode import DecodedAudio
from whisper_runtime.service.audio_loading import Decode


class KeepAudio(Protocol):
    """Writes recordings, one behind the other, as media.kept_audio.keep_audio does."""

    def __call__(self, recordings: Sequence[Samples], target: IO[bytes], timeout: float) -> Awaitable[None]: ...


@dataclass(frozen=True)
class AudioCodec:
    keep: KeepAudio
    read: Decode[DecodedAudio]
    """Gives back what `keep` has written, sample by sample."""
