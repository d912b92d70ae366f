"""Takes the weights of the runtime's network for speech out of Silero's wheel, which is pinned by hash: `python -m
hack.speech_weights`. The bytes are the same each time.

The wheel's silero_vad_16k.safetensors is another network's: of version 6.2.3 its probabilities differ by up to 0.4 from
those of the wheel's own models, which agree with each other. TorchScript is code, and so nothing for a server to load.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch

from testbed import wheels
from whisper_runtime.engine.speech.network import WEIGHTS

PARTS: Final = ("weight", "bias")
NAMES: Final = {
    "stft": "stft.forward_basis_buffer",
    **{f"conv{layer}.{part}": f"encoder.{layer}.reparam_conv.{part}" for layer in range(4) for part in PARTS},
    **{f"rnn.{part}_{of}": f"decoder.rnn.{part}_{of}" for part in PARTS for of in ("ih", "hh")},
    **{f"last.{part}": f"decoder.decoder.2.{part}" for part in PARTS},
}
"""The network's names for the weights, and those that the module for 16 kHz has."""


def silero() -> Any:
    """The wheel's own model, as TorchScript."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.load` is deprecated", FutureWarning)
        return cast(Any, torch.jit).load(str(wheels.ensure(wheels.SILERO)), map_location="cpu").eval()


def write(path: Path) -> None:
    """Writes the weights to `path`, whose name ends in .npz."""
    state = silero().state_dict()
    found = {name: state[f"_model.{theirs}"].numpy() for name, theirs in NAMES.items()}
    found["last.weight"] = found["last.weight"][:, :, 0]  # a convolution over one frame
    np.savez(path, **found)


if __name__ == "__main__":
    write(WEIGHTS)
