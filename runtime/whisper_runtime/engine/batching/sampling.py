"""Which token comes next in each row: the logits are masked, then the likeliest is taken, or one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import torch

from whisper_runtime.engine.policy.logits_processor import LogitsProcessor, Vocabulary, token_bounds
from whisper_runtime.engine.policy.queries import DecodingParams

MAX_NEW_TOKENS: Final = 224
"""Tokens that are sampled for one window: half of the decoder's context (decoding.py, sample_len)."""


class Sampler:
    def __init__(
        self, vocabulary: Vocabulary, n_text_ctx: int, device: torch.device, max_new_tokens: int = MAX_NEW_TOKENS
    ) -> None:
        self._vocabulary, self._n_text_ctx, self._max_new_tokens = vocabulary, n_text_ctx, max_new_tokens
        self._process_logits = LogitsProcessor(vocabulary, device)

    @property
    def eot(self) -> int:
        return self._vocabulary.eot

    def mask(self, logits: torch.Tensor, sampled: Sequence[Sequence[int]], params: Sequence[DecodingParams]) -> None:
        """Set the tokens that may not come after `sampled`, those of each row so far, to minus infinity, in place.

        `logits` is (row, n_vocab), float32.
        """
        bounds = [
            token_bounds(tokens, of_row.timestamps, self._vocabulary)
            for tokens, of_row in zip(sampled, params, strict=True)
        ]
        self._process_logits(logits, bounds)

    def is_full(self, params: DecodingParams, num_sampled: int) -> bool:
        """Whether a row has no room for another token."""
        return num_sampled == self._max_new_tokens or len(params.prompt) + num_sampled > self._n_text_ctx


def sample(logits: torch.Tensor, params: Sequence[DecodingParams]) -> tuple[list[int], list[float]]:
    """For each row of masked `logits`, (row, n_vocab): a token, and its log-probability (at temperature 1, as
    upstream's)."""
    tokens = logits.argmax(dim=-1)
    drawn = [row for row, of_row in enumerate(params) if of_row.temperature > 0]
    if drawn:
        tokens[drawn] = draw(logits[drawn], [params[row] for row in drawn])
    chosen = logits.gather(1, tokens[:, None])[:, 0]
    return to_list(tokens), to_list(chosen - logits.logsumexp(dim=-1))


def draw(logits: torch.Tensor, params: Sequence[DecodingParams]) -> torch.Tensor:
    """A token for each row of (row, n_vocab), int64, by the row's temperature, which is above 0.

    By the inverse of the cumulative distribution: one random number a row, the same on every device.
    """
    temperatures = torch.tensor([of_row.temperature for of_row in params], device=logits.device)
    cumulative = (logits / temperatures[:, None]).softmax(dim=-1).double().cumsum(dim=-1)
    numbers = torch.cat([torch.rand(1, generator=of_row.generator, dtype=torch.float64) for of_row in params])
    targets = numbers.to(logits.device) * cumulative[:, -1]
    return torch.searchsorted(cumulative, targets[:, None], right=True)[:, 0].clamp_(max=logits.shape[-1] - 1)


def to_list(tensor: torch.Tensor) -> list[Any]:
    """The tensor's values on the host, which waits for the device."""
    return cast(list[Any], tensor.tolist())  # pyright: ignore[reportUnknownMemberType]
