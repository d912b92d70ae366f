"""The probabilities are those of Silero's own model, in a thread that leaves the model its processors."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.parity import sounds
from hack import speech_weights
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech import network
from whisper_runtime.engine.speech.network import FRAME, Probabilities, no_memory, probabilities


def in_pieces(samples: Samples, frames: int) -> Probabilities:
    memory, found = no_memory(), list[Probabilities]()
    for first in range(0, len(samples), frames * FRAME):
        piece, memory = probabilities(samples[first : first + frames * FRAME], memory)
        found.append(piece)
    return np.concatenate(found)


def noise(seconds: float) -> Samples:
    return np.random.default_rng(1).normal(0, 0.1, int(seconds * 16_000)).astype(np.float32)


@pytest.mark.slow
def test_the_probabilities_are_those_of_the_wheels_own_model() -> None:
    theirs = speech_weights.silero()
    for samples in (sounds.voice("jfk"), sounds.voice("0870"), noise(3), np.zeros(20_000, np.float32)):
        theirs.reset_states()
        padded = np.pad(samples, (0, -len(samples) % FRAME))
        pieces = torch.from_numpy(padded).split(FRAME)
        with torch.no_grad():
            wanted = np.array([theirs(piece, 16_000).item() for piece in pieces])
        assert np.abs(in_pieces(samples, 100) - wanted).max() < 1e-4


@pytest.mark.slow
def test_the_weights_are_those_of_the_pinned_wheel(tmp_path: Path) -> None:
    speech_weights.write(tmp_path / "weights.npz")
    assert (tmp_path / "weights.npz").read_bytes() == network.WEIGHTS.read_bytes()


def test_a_recording_in_pieces_is_one_recording() -> None:
    samples = noise(2.1)
    assert np.abs(in_pieces(samples, 7) - in_pieces(samples, 1000)).max() < 1e-6


def test_a_channel_of_interleaved_samples_is_read_as_it_is() -> None:
    samples = noise(1)
    both = np.stack([samples, -samples], axis=1)
    assert np.array_equal(in_pieces(both[:, 0], 50), in_pieces(samples, 50))


def test_a_thread_that_computes_alone_leaves_others_theirs() -> None:
    before, alone = torch.get_num_threads(), list[int]()

    def compute() -> None:
        network.compute_alone()
        probabilities(noise(0.1), no_memory())
        alone.append(torch.get_num_threads())

    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()
    assert (alone, torch.get_num_threads()) == ([1], before)
