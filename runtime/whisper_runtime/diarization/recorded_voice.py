"""How alike the speakers of a recording are to known ones, each of whom may be recorded otherwise than it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from whisper_runtime.diarization.bands import Band, band_of, by_telephone
from whisper_runtime.diarization.clustering import Vectors, middle
from whisper_runtime.diarization.embedding import EmbeddingModel, at_one_level, pieces_of
from whisper_runtime.diarization.interface import Cancelled
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech.spans import Span

MOST_WINDOWS: Final = 32
"""Of a speaker, by which the band is told and the voice by telephone: one batch."""


@dataclass(frozen=True)
class RecordedVoice:
    """One speaker's voice, as it is in a recording."""

    middle: Vectors
    """Of the voices of its windows, shape (width,), of length 1."""
    samples: Samples
    """The recording."""
    windows: Sequence[Span]
    """In which the speaker speaks; at least one."""

    @property
    def band(self) -> Band:
        return band_of(self._pieces())

    def by_telephone(self, model: EmbeddingModel) -> Vectors:
        """What `middle` is where the recording has gone through a telephone."""
        return middle(model.embeddings(at_one_level(by_telephone(self._pieces()))).astype(np.float16))

    def _pieces(self) -> Samples:
        count = min(MOST_WINDOWS, len(self.windows))
        some = np.linspace(0, len(self.windows) - 1, count).round().astype(np.intp)
        return pieces_of(self.samples, [self.windows[int(at)] for at in some])


def likenesses(
    speakers: Sequence[RecordedVoice],
    known: Sequence[RecordedVoice],
    model: EmbeddingModel,
    is_cancelled: Callable[[], bool],
) -> Vectors:
    """Cosine of each speaker with each known one, shape (speakers, known): of their voices as they are where both are
    of one band, and by telephone where they are not. Raises Cancelled.
    """
    as_they_are = _middles(speakers) @ _middles(known).T
    bands, of_known = [one.band for one in speakers], [one.band for one in known]
    differ = np.array([[band != other for other in of_known] for band in bands])
    if not differ.any():
        return as_they_are
    found = list[Vectors]()
    for one in (*speakers, *known):
        if is_cancelled():
            raise Cancelled
        found.append(one.by_telephone(model))
    return np.where(differ, np.array(found[: len(speakers)]) @ np.array(found[len(speakers) :]).T, as_they_are)


def _middles(voices: Sequence[RecordedVoice]) -> Vectors:
    return np.array([one.middle for one in voices])
