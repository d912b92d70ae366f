"""What the model gets of a recording's windows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from whisper_runtime.diarization.embedding import BATCH, LEVEL, WINDOW_SAMPLES, voices
from whisper_runtime.diarization.ge2e import SCALE
from whisper_runtime.diarization.interface import Cancelled
from whisper_runtime.diarization.mel import SAMPLE_RATE
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech.spans import Span


class KeepsPieces:
    """An EmbeddingModel that keeps what it was given, and knows all windows by their first sample's sign."""

    scale = SCALE

    def __init__(self) -> None:
        self.batches: list[Samples] = []

    def embeddings(self, pieces: Samples) -> npt.NDArray[np.float32]:
        self.batches.append(pieces)
        return np.eye(2, dtype=np.float32)[(pieces[:, 0] > 0).astype(int)]


def tone(seconds: float, level: float = 0.5) -> Samples:
    return (level * np.cos(np.arange(round(seconds * SAMPLE_RATE)) / 10)).astype(np.float32)


def never() -> bool:
    return False


def windows(count: int) -> list[Span]:
    return [Span(float(at), at + 1.6) for at in range(count)]


def test_each_window_is_brought_to_one_level() -> None:
    model = KeepsPieces()
    voices(model, np.concatenate([tone(2, 0.9), tone(2, 0.001)]), [Span(0.0, 1.6), Span(2.0, 3.6)], never)
    (pieces,) = model.batches
    assert np.sqrt(np.mean(pieces**2, axis=1)) == pytest.approx(LEVEL, rel=1e-3)


def test_a_short_window_is_repeated_until_it_is_full() -> None:
    model = KeepsPieces()
    voices(model, tone(3), [Span(1.0, 1.5)], never)
    (piece,) = model.batches[0]
    assert len(piece) == WINDOW_SAMPLES
    assert np.array_equal(piece[:8000], piece[8000:16000])


def test_voices_are_in_the_order_of_their_windows_across_batches() -> None:
    samples = tone(BATCH + 10)
    found = voices(KeepsPieces(), samples, windows(BATCH + 5), never)
    signs = [int(samples[at * SAMPLE_RATE] > 0) for at in range(BATCH + 5)]
    assert found.argmax(axis=1).tolist() == signs


def test_a_batch_has_a_bound() -> None:
    model = KeepsPieces()
    voices(model, tone(2 * BATCH + 10), windows(2 * BATCH + 1), never)
    assert [len(batch) for batch in model.batches] == [BATCH, BATCH, 1]


def test_silence_is_not_made_infinitely_loud() -> None:
    model = KeepsPieces()
    voices(model, np.zeros(SAMPLE_RATE * 2, np.float32), [Span(0.0, 1.6)], never)
    assert np.isfinite(model.batches[0]).all()


def test_no_window_is_no_voice() -> None:
    assert len(voices(KeepsPieces(), tone(1), [], never)) == 0


def test_it_can_be_cancelled_between_two_batches() -> None:
    model = KeepsPieces()
    with pytest.raises(Cancelled):
        voices(model, tone(BATCH + 10), windows(BATCH + 5), lambda: bool(model.batches))
    assert len(model.batches) == 1


def test_it_tells_where_it_is_after_each_batch() -> None:
    said = list[float]()
    voices(KeepsPieces(), tone(BATCH + 10), windows(BATCH + 3), never, said.append)
    assert said == [BATCH - 1 + 1.6, BATCH + 2 + 1.6]
