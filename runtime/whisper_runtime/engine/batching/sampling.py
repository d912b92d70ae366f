"""Which token comes next: the likeliest, or one drawn by the row's own generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch

from whisper_runtime.engine.policy.queries import Script


def pick(logits: torch.Tensor, scripts: Sequence[Script]) -> tuple[list[int], list[float]]:
    """For each row of (row, n_vocab), filtered: a token, and its log-probability (at temperature 1, as upstream's)."""
    tokens = logits.argmax(dim=-1)
    drawn = [index for index, script in enumerate(scripts) if script.temperature > 0]
    if drawn:
        tokens[drawn] = _draw(logits[drawn], [scripts[index] for index in drawn])
    chosen = logits.gather(1, tokens[:, None])[:, 0]
    return listed(tokens), listed(chosen - logits.logsumexp(dim=-1))


def listed(tensor: torch.Tensor) -> list[Any]:
    """A tensor's values on the host."""
    return cast(list[Any], tensor.tolist())  # pyright: ignore[reportUnknownMemberType]


def _draw(logits: torch.Tensor, scripts: Sequence[Script]) -> torch.Tensor:
    """By the inverse of the cumulative distribution: one number a row, the same on every device."""
    temperatures = torch.tensor([script.temperature for script in scripts], device=logits.device)
    cumulative = (logits / temperatures[:, None]).softmax(dim=-1).double().cumsum(dim=-1)
    numbers = torch.cat([torch.rand(1, generator=script.random, dtype=torch.float64) for script in scripts])
    aims = numbers.to(logits.device) * cumulative[:, -1]
    return torch.searchsorted(cumulative, aims[:, None], right=True)[:, 0].clamp_(max=logits.shape[-1] - 1)
