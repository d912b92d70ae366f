"""From windows of a recording to voices, a batch after the other: the memory is of one batch, whatever the length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from whisper_runtime.diarization.interface import Cancelled
from whisper_runtime.diarization.mel import SAMPLE_RATE
from whisper_runtime.diarization.windows import LENGTH_SECONDS
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech.spans import Span

BATCH: Final = 32
"""Windows; a batch takes a quarter of a second of one processor."""
WINDOW_SAMPLES: Final = round(LENGTH_SECONDS * SAMPLE_RATE)
LEVEL: Final = 10 ** (-25 / 20)
"""Root mean square that each window is brought to: the spectrum is no logarithm, and so the network knows loudness.
Of -20 to -40 dB, the one by which windows of two speakers differ most."""
SILENT: Final = 1e-6

Voices = npt.NDArray[np.float16]
"""Shape (windows, width), each row of length 1; half precision keeps an hour of speech in some 2 MB."""


@dataclass(frozen=True)
class VoiceScale:
    """How alike the windows are that a network turns into voices; each network has its own."""

    of_long: float
    """Likeness between two halves of a group by that within them, below which they are two speakers, where the shorter
    one has many seconds of the recording."""
    of_short: float
    """The same where it has a few seconds."""
    of_a_reference: float
    """The same within a few seconds of one voice."""
    same: float
    """Cosine of the middles of a reference and of a speaker from which on they are one."""


class EmbeddingModel(Protocol):
    """Tells voices apart; may be used from any thread."""

    @property
    def scale(self) -> VoiceScale: ...

    def embeddings(self, pieces: Samples) -> npt.NDArray[np.float32]:
        """Shape (pieces, width), each row of length 1 or of zeros, of pieces of shape (pieces, WINDOW_SAMPLES)."""
        ...


def voices(
    model: EmbeddingModel,
    samples: Samples,
    windows: Sequence[Span],
    is_cancelled: Callable[[], bool],
    on_progress: Callable[[float], None] | None = None,
) -> Voices:
    """Of each window; between two batches it tells where the windows are, in seconds, and raises Cancelled."""
    found: list[Voices] = [np.zeros((0, 1), np.float16)] if not windows else []
    for first in range(0, len(windows), BATCH):
        if is_cancelled():
            raise Cancelled
        pieces = pieces_of(samples, windows[first : first + BATCH])
        found.append(model.embeddings(pieces).astype(np.float16))
        if on_progress:
            on_progress(windows[first : first + BATCH][-1].end)
    return np.concatenate(found)


def pieces_of(samples: Samples, windows: Sequence[Span]) -> Samples:
    """The windows' samples at one level, shape (windows, WINDOW_SAMPLES); a short one is repeated until it is full."""
    return at_one_level(np.stack([_piece(samples, window) for window in windows]))


def at_one_level(pieces: Samples) -> Samples:
    """The pieces, shape (pieces, samples), each as loud as LEVEL says."""
    loudness = np.sqrt(np.mean(pieces**2, axis=1, keepdims=True))
    return pieces * (np.float32(LEVEL) / np.maximum(np.float32(SILENT), loudness))


def _piece(samples: Samples, window: Span) -> Samples:
    piece = samples[round(window.start * SAMPLE_RATE) :][: round((window.end - window.start) * SAMPLE_RATE)]
    return np.resize(piece, WINDOW_SAMPLES).astype(np.float32)
