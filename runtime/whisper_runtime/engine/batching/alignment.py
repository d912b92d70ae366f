"""Aligns tokens with time: dynamic time warping over the weights of the alignment heads (whisper/timing.py).

The decoder reads the tokens once more, on the model's thread. All else needs no model and is computed beside the steps
of other rows, by one thread alone: torch's parallel loops in a second thread would make both wait at each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch

from whisper_runtime.engine.batching.sampling import to_list
from whisper_runtime.engine.model.decoder import HeadInput
from whisper_runtime.engine.model.kv_cache import KVCache
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.policy.queries import Alignment, AlignTokens

HEADS_AT_ONCE: Final = 16
"""Whose weights are in memory: a fine-tuned large aligns by 320. Sums of so many are those of torch's mean over all."""


@dataclass(frozen=True, eq=False)
class TextAttention:
    """All that an alignment is computed from; it depends on no row of the cache any more."""

    probabilities: tuple[float, ...]
    """Of each text token."""
    first: int
    """The query of the first text token; that of <|endoftext|> is the last."""
    heads: list[HeadInput]


def attend(model: WhisperModel, cache: KVCache, row: int, query: AlignTokens, eot: int) -> TextAttention:
    """Read the tokens of `query` over the window that `row` of the cache attends to; overwrites the row's tokens."""
    heads, length = model.alignment_heads, query.num_frames // 2
    hidden, inputs = model.decoder.attend(query.tokens, cache, row, heads, length)
    first = query.num_special
    text = list(query.tokens[first + 1 : -1])
    logits = model.decoder.logits(hidden[first : first + len(text)])[:, :eot]
    probabilities = logits.softmax(dim=-1)[torch.arange(len(text)), text]
    return TextAttention(tuple(to_list(probabilities)), first, inputs)


@torch.inference_mode()
def align(attention: TextAttention) -> Alignment:
    """The times of the tokens; from any thread, and without the model."""
    # Takes a second to import, and most servers are never asked for words.
    from whisper_runtime.engine.batching.time_warping import cheapest_path

    groups = range(0, len(attention.heads), HEADS_AT_ONCE)
    sums = [_sum_of_heads(attention.heads[at : at + HEADS_AT_ONCE], attention.first) for at in groups]
    mean = torch.stack(sums).sum(dim=0).div_(len(attention.heads))
    text_indices, time_indices = cheapest_path(mean.neg_().numpy())
    return Alignment(attention.probabilities, tuple(text_indices.tolist()), tuple(time_indices.tolist()))


def _sum_of_heads(heads: list[HeadInput], first: int) -> torch.Tensor:
    """(text token, position in time): the filtered weights of these heads, added up."""
    from whisper_runtime.engine.batching.time_warping import filter_medians

    filtered: list[torch.Tensor] = []
    for query, keys in heads:
        weights = _weights(query.float(), keys.float())
        std, mean = torch.std_mean(weights, dim=-2, keepdim=True, unbiased=False)
        normalized = ((weights - mean) / std)[first:-1]
        filtered.append(torch.empty_like(normalized))
        filter_medians(normalized.numpy(), filtered[-1].numpy())
    return torch.stack(filtered).sum(dim=0)


def _weights(query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """(token, position in time), as model.py's qkv_attention computes them where it keeps them."""
    scale = query.shape[-1] ** -0.25
    return ((query * scale) @ (keys * scale).mT).softmax(dim=-1)
