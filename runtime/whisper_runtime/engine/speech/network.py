"""How likely each 32 ms of a recording hold speech: Silero's network for 16 kHz, whose weights are in the package.

The weights are those of silero_vad.jit in the PyPI package silero-vad, which `python -m hack.speech_weights` takes out
(ADR 32); its licence lies beside them.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from whisper_runtime.engine.interface import Samples

WEIGHTS: Final = Path(__file__).with_name("silero-vad-16k.npz")
FRAME: Final = 512
"""Samples that one probability is for."""
CONTEXT: Final = 64
"""Samples before a frame that the network sees, too."""
HOP: Final = 128
BINS: Final = 129
"""Frequencies of the spectrum; the basis has a real and an imaginary part for each."""
STRIDES: Final = (1, 2, 2, 1)
"""Of the convolutions after the spectrum."""
UNITS: Final = 128

Probabilities = npt.NDArray[np.float32]
"""Of speech, from 0 to 1, shape (frames,)."""


class Memory(NamedTuple):
    """What the network keeps of the frames before."""

    samples: torch.Tensor
    hidden: torch.Tensor
    cell: torch.Tensor


def no_memory() -> Memory:
    """That at the beginning of a recording."""
    return Memory(torch.zeros(CONTEXT), torch.zeros(1, 1, UNITS), torch.zeros(1, 1, UNITS))


@cache
def weights() -> dict[str, torch.Tensor]:
    """Loaded with the first recording that is asked about."""
    with np.load(WEIGHTS, allow_pickle=False) as file:
        return {name: torch.as_tensor(file[name]) for name in file.files}


@torch.inference_mode()
def probabilities(samples: Samples, memory: Memory) -> tuple[Probabilities, Memory]:
    """Of the frames of `samples`, which follow those that `memory` is of; a last frame that is short ends in silence.

    Memory of some 8 KiB is taken for each frame.
    """
    layers = weights()
    piece = torch.as_tensor(np.ascontiguousarray(samples, dtype=np.float32))
    piece = torch.cat([memory.samples, F.pad(piece, (0, -len(piece) % FRAME))])
    frames = F.pad(piece.unfold(0, CONTEXT + FRAME, FRAME).unsqueeze(1), (0, CONTEXT), mode="reflect")
    spectrum = F.conv1d(frames, layers["stft"], stride=HOP)
    features = (spectrum[:, :BINS].square() + spectrum[:, BINS:].square()).sqrt()
    for number, stride in enumerate(STRIDES):
        weight, bias = layers[f"conv{number}.weight"], layers[f"conv{number}.bias"]
        features = F.conv1d(features, weight, bias, stride=stride, padding=1).relu()
    recurrent = [layers[f"rnn.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    found, hidden, cell = torch.lstm(
        features.mT, (memory.hidden, memory.cell), recurrent, True, 1, 0.0, False, False, False
    )
    spoken = F.linear(found[:, 0].relu(), layers["last.weight"], layers["last.bias"]).sigmoid()
    return spoken[:, 0].numpy(), Memory(piece[-CONTEXT:].clone(), hidden, cell)


def compute_alone() -> None:
    """Let torch compute in this thread without others, which belong to the model: they would take its processors.

    `torch.set_num_threads` would say so of every thread that begins later; OpenMP's own call is of the caller alone.
    """
    library = Path(torch.__file__).with_name("lib") / "libtorch_cpu.so"
    if library.exists():
        torch.get_num_threads()  # once in each thread, torch sets its own number at the first question (ATen/Parallel)
        ctypes.CDLL(str(library)).omp_set_num_threads(1)
