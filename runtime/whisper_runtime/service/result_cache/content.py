"""What is kept of a result, and of what the decoder made of an upload: each as JSON."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter
from pydantic_core import to_json

from whisper_runtime.engine.transcription import Segment, Transcription
from whisper_runtime.media.track_taken import TrackTaken


@dataclass(frozen=True)
class KnownAudio:
    """What the decoder made of an upload."""

    digest: str
    """As keys.audio_digest has it."""
    track: TrackTaken | None

    def to_json(self) -> bytes:
        return to_json(self)

    @classmethod
    def from_json(cls, content: bytes) -> KnownAudio:
        """Raises ValueError for what `to_json` did not write."""
        return _audio().validate_json(content)


@dataclass(frozen=True)
class KnownResult:
    """A transcription, and what its first reader got of it when."""

    transcription: Transcription
    windows: tuple[int, ...]
    """How many segments became final at once, one time after the other; a stream has an event for each."""
    model_seconds: float
    """For which it kept the model busy: its audio by the speed of all rows together, as measured then."""

    def replay(self) -> Generator[Sequence[Segment], None, None]:
        """The segments, as they became final."""
        left = self.transcription.segments
        for size in self.windows:
            yield left[:size]
            left = left[size:]

    def to_json(self) -> bytes:
        return to_json(self, inf_nan_mode="constants", exclude_none=True)

    @classmethod
    def from_json(cls, content: bytes) -> KnownResult:
        """Raises ValueError for what `to_json` did not write."""
        return _result().validate_json(content)


@dataclass(frozen=True)
class Hit:
    """A result that was kept."""

    result: KnownResult
    age: float
    """Seconds."""
    seconds_left: float


@cache
def _audio() -> TypeAdapter[KnownAudio]:
    """Made when it is needed first: else it takes a hundredth of a second, as the other, of each process's start."""
    return TypeAdapter(KnownAudio)


@cache
def _result() -> TypeAdapter[KnownResult]:
    return TypeAdapter(KnownResult)
