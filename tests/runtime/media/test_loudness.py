"""Silence, and what a mix has lost."""

from __future__ import annotations

import numpy as np
import pytest

from whisper_runtime.media.loudness import CANCELLED, SILENT, is_below, is_lost


def constant(value: float, seconds: float = 2) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.full(int(seconds * 16_000), value, np.float32)


def test_one_loud_sample_is_a_sound() -> None:
    samples = constant(0)
    assert is_below(samples, SILENT)
    samples[20_000] = -0.5
    assert not is_below(samples, SILENT)
    assert is_below(samples[:0], SILENT)


@pytest.mark.parametrize(
    ("other", "mixed", "answer"),
    [
        (0.5, 0.0, True),
        (0.5, 0.5 / CANCELLED / 1.01, True),
        (0.5, 0.5 / CANCELLED * 1.01, False),
        (SILENT / 2, 0.0, False),  # nothing was there
    ],
)
def test_what_is_much_louder_than_the_mix_was_lost_in_it(other: float, mixed: float, answer: bool) -> None:
    assert is_lost(constant(other), constant(mixed)) == answer
