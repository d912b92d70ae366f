"""Aligns tokens with time: dynamic time warping over the scores of the alignment heads (whisper/timing.py)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from whisper.timing import median_filter  # pyright: ignore[reportUnknownVariableType]

from whisper_runtime.engine.batching.sampling import to_list
from whisper_runtime.engine.model.kv_cache import KVCache
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.policy.queries import Alignment, AlignTokens

FILTER_WIDTH: Final = 7
DIAGONAL, NEXT_TOKEN, NEXT_TIME = range(3)


def align(model: WhisperModel, cache: KVCache, row: int, query: AlignTokens, eot: int) -> Alignment:
    """Align the tokens of `query` with the window that `row` of the cache attends to; overwrites the row's tokens."""
    hidden, scores = model.decoder.cross_attention_scores(query.tokens, cache, row, model.alignment_heads)
    start = query.num_special
    text = list(query.tokens[start + 1 : -1])
    logits = model.decoder.logits(hidden[start : start + len(text)])[:, :eot]
    probabilities = logits.softmax(dim=-1)[torch.arange(len(text)), text]
    weights = scores[:, :, : query.num_frames // 2].softmax(dim=-1)
    std, mean = torch.std_mean(weights, dim=-2, keepdim=True, unbiased=False)
    matrix = median_filter((weights - mean) / std, FILTER_WIDTH).mean(dim=0)[start:-1]
    text_indices, time_indices = dtw(-matrix.double().cpu().numpy())
    return Alignment(tuple(to_list(probabilities)), text_indices, time_indices)


def dtw(costs: npt.NDArray[np.float64]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Dynamic time warping: rows and columns of the cheapest path from the first cell of `costs` to the last.

    A diagonal of the matrix at a time: its cells depend on the two diagonals before it alone.
    """
    rows, columns = (int(length) for length in costs.shape)
    total = np.full((rows + 1, columns + 1), np.inf, dtype=np.float32)
    total[0, 0] = 0
    trace = np.full((rows + 1, columns + 1), -1, dtype=np.int8)
    for diagonal in range(2, rows + columns + 1):
        i: npt.NDArray[np.signedinteger[Any]] = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        j: npt.NDArray[np.signedinteger[Any]] = diagonal - i
        both, token, time = total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]
        step = np.where(
            (both < token) & (both < time),
            DIAGONAL,
            np.where((token < both) & (token < time), NEXT_TOKEN, NEXT_TIME),
        )
        trace[i, j] = step
        total[i, j] = costs[i - 1, j - 1] + np.choose(step, (both, token, time))
    return _backtrace(trace)


def _backtrace(trace: npt.NDArray[np.int8]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    trace[0, :], trace[:, 0] = NEXT_TIME, NEXT_TOKEN
    i, j = (int(length) - 1 for length in trace.shape)
    path: list[tuple[int, int]] = []
    while i > 0 or j > 0:
        path.append((i - 1, j - 1))
        step = int(trace[i, j])
        i -= int(step != NEXT_TIME)
        j -= int(step != NEXT_TOKEN)
    rows, columns = zip(*reversed(path), strict=True)
    return tuple(map(int, rows)), tuple(map(int, columns))
