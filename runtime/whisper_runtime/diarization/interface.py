"""The interface of speaker diarization: all that others know of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from whisper_runtime.engine.interface import Samples

MOST_ENCODER_BYTES: Final = 1 << 30
"""Larger than any speaker encoder that is known; a Whisper model given by mistake is not read."""
ONNX_BEGINS: Final = b"\x08"
"""The first byte of every ONNX file: its first field is the version of the format. A torch file's is none of it."""


@dataclass(frozen=True)
class SpeakerBounds:
    """How many speakers there may be."""

    least: int = 1
    most: int = 32


@dataclass(frozen=True)
class KnownSpeaker:
    """A speaker whom the client names, by a sample of the voice."""

    name: str
    samples: Samples
    """2 to 10 seconds."""


@dataclass(frozen=True)
class SpeakerTurn:
    """A time in which one speaker speaks, in seconds of the recording."""

    start: float
    end: float
    speaker: str
    """`A`, `B`, … `Z`, `AA`, … by first appearance, or the known speaker's name."""
    overlaps: bool = False
    """Whether it begins while the speaker of the turn before still speaks; False: nobody knows."""


class UnusableReference(Exception):
    """A known speaker's sample holds no speech, two speakers, or too little; the message says which, and why."""


class Cancelled(Exception):
    """The caller wants the speakers no more."""


class Diarizer(Protocol):
    """Finds the speakers of recordings; every member may be used from any thread."""

    @property
    def digest(self) -> str:
        """SHA-256 of the checkpoint's file, in hexadecimal digits."""
        ...

    def turns(
        self,
        samples: Samples,
        bounds: SpeakerBounds,
        known: Sequence[KnownSpeaker],
        *,
        is_cancelled: Callable[[], bool],
        on_progress: Callable[[float], None] | None = None,
    ) -> Sequence[SpeakerTurn]:
        """The turns of a recording, in the order of their starts; none where nobody speaks.

        It blocks, and computes in the calling thread. `known` are among the speakers that may be found, and count
        within `bounds`. `is_cancelled` is asked between batches of windows, and `on_progress` is told then how many
        seconds of the recording are done with.
        Raises UnusableReference of a known speaker, and Cancelled.
        """
        ...
