"""What a request asks of speakers, and what of that decides the result."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from whisper_runtime.diarization.interface import SpeakerBounds

COST: Final = 0.05
"""Of a second's speakers, in seconds of transcription: measured with base (docs/reports/speakers.md). It is less beside
larger models, and those who ask for speakers wait for nobody else because of it."""


@dataclass(frozen=True)
class SpeakerReference:
    """A speaker whom the client names, with a recording of the voice."""

    name: str
    digest: str
    """sha256 of the file in hex."""
    content: bytes = field(default=b"", repr=False)
    """The file; empty where its samples are kept elsewhere, as those of a job."""
    media_type: str = ""
    """As the client declares it."""


@dataclass(frozen=True)
class SpeakerOptions:
    bounds: SpeakerBounds
    references: tuple[SpeakerReference, ...] = ()

    @property
    def key(self) -> tuple[int, int, tuple[tuple[str, str], ...]]:
        """All of it that decides the result."""
        known = tuple((one.name, one.digest) for one in self.references)
        return self.bounds.least, self.bounds.most, known

    def without_content(self) -> SpeakerOptions:
        """The same, to be kept: the references' files are left out."""
        return replace(self, references=tuple(replace(one, content=b"") for one in self.references))


def counted(seconds: float, speakers: SpeakerOptions | None) -> float:
    """What `seconds` of audio count for in the queue and in quotas; `speakers` None: they are not asked for."""
    return seconds if speakers is None else seconds * (1 + COST)
