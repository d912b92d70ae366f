"""A checkpoint in half of its size: each matrix in eight bits, with a scale for each of its rows.

The weights that come back are not quite those that went in. Whoever compares compares on what came back.
"""

from __future__ import annotations

from typing import Any, Final

import torch

LEVELS: Final = 127.0

Checkpoint = dict[str, Any]
"""As openai-whisper stores it: `dims` and `model_state_dict`."""


def packed(checkpoint: Checkpoint) -> Checkpoint:
    """`checkpoint` with `model_state_dict` in eight bits; `unpacked` undoes it."""
    state = {name: _packed(value) for name, value in checkpoint["model_state_dict"].items()}
    return {**checkpoint, "model_state_dict": state}


def unpacked(checkpoint: Checkpoint) -> Checkpoint:
    """In float16, as openai publishes its checkpoints."""
    state = {name: _unpacked(value) for name, value in checkpoint["model_state_dict"].items()}
    return {**checkpoint, "model_state_dict": state}


def _packed(weight: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
    """A pair of eight-bit levels and the scale of each row; a vector stays what it is."""
    if weight.dim() < 2:
        return weight.half()
    rows = weight.float().flatten(1)
    scale = rows.abs().amax(dim=1, keepdim=True).clamp(min=1e-8) / LEVELS
    return (rows / scale).round().to(torch.int8).view(weight.shape), scale[:, 0].half()


def _unpacked(kept: torch.Tensor | tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    if isinstance(kept, torch.Tensor):
        return kept
    levels, scale = kept
    return (levels.float().flatten(1) * scale.float()[:, None]).view(levels.shape).half()
