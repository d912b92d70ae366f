from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from whisper.audio import HOP_LENGTH

from whisper_runtime.engine.policy import silence_split
from whisper_runtime.engine.policy.silence_split import split_at_silence


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(int(seconds * 16_000)).astype(np.float32)


@pytest.mark.parametrize(("seconds", "chunks"), [(0, 0), (0.5, 1), (30, 1), (30.5, 2), (600, 25)])
def test_chunks_join_and_none_is_longer_than_a_window(seconds: float, chunks: int) -> None:
    found = split_at_silence(noise(seconds))
    assert abs(len(found) - chunks) <= chunks // 5
    assert [start for start, _ in found[1:]] == [end for _, end in found[:-1]]
    assert all(0 < end - start <= 3000 for start, end in found)
    if found:
        assert (found[0][0], found[-1][1]) == (0, int(seconds * 100))


def test_a_cut_is_in_the_middle_of_a_pause_not_of_a_click() -> None:
    """Given half a second of silence at 24 s and a gap of 20 ms at 28 s."""
    samples = noise(40)
    samples[int(23.75 * 16_000) : int(24.25 * 16_000)] = 0
    samples[28 * 16_000 : int(28.02 * 16_000)] = 0
    assert split_at_silence(samples)[0][1] == pytest.approx(2400, abs=12)


def test_the_cuts_are_those_of_each_frames_mean_square() -> None:
    samples = noise(300)
    power = np.square(samples.reshape(-1, HOP_LENGTH)).mean(axis=1)
    for start, end in split_at_silence(samples)[:-1]:
        middles = range(start + silence_split.SHORTEST_FRAMES, start + 3001)
        half = silence_split.SMOOTHED_FRAMES // 2
        assert end == min(middles, key=lambda middle: power[middle - half : middle + half].sum(dtype=float))


def test_a_recording_is_not_copied_to_be_split() -> None:
    samples = noise(600)
    tracemalloc.start()
    split_at_silence(samples)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < samples.nbytes / 10
