"""Voices that are made up: noisy copies of a few directions."""

from __future__ import annotations

import numpy as np

from whisper_runtime.diarization.embedding import Voices

WIDTH = 256


def made_up(
    sizes: list[int], seed: int = 1, noise: float = 0.65, last_like_first: float = 0.0
) -> tuple[Voices, list[int]]:
    """Voices of speakers with so many windows each, in any order, and the speaker of each.

    Two windows of one speaker have a likeness of some 0.7, of two speakers one of some 0, and of the last and the first
    speaker `last_like_first` times that of one speaker's.
    """
    rng = np.random.default_rng(seed)
    who = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    speakers = np.linalg.qr(rng.standard_normal((WIDTH, len(sizes))))[0].T
    if last_like_first:
        speakers[-1] = last_like_first * speakers[0] + np.sqrt(1 - last_like_first**2) * speakers[-1]
    vectors = speakers[who] + noise * rng.standard_normal((len(who), WIDTH)) / np.sqrt(WIDTH)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16), who.tolist()
