"""Voices that are made up: noisy copies of a few directions."""

from __future__ import annotations

import numpy as np

from whisper_runtime.diarization.embedding import Voices

WIDTH = 256


def made_up(sizes: list[int], seed: int = 1, noise: float = 0.65) -> tuple[Voices, list[int]]:
    """Voices of speakers with so many windows each, in any order, and the speaker of each: two windows of one speaker
    have a likeness of some 0.7, of two speakers one of some 0."""
    rng = np.random.default_rng(seed)
    who = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    speakers = np.linalg.qr(rng.standard_normal((WIDTH, len(sizes))))[0].T
    vectors = speakers[who] + noise * rng.standard_normal((len(who), WIDTH)) / np.sqrt(WIDTH)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16), who.tolist()
