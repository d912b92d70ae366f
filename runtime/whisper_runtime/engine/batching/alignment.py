"""When each token is spoken: the cheapest path through what the alignment heads attend to (whisper/timing.py)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from whisper.timing import median_filter  # pyright: ignore[reportUnknownVariableType]

from whisper_runtime.engine.batching.sampling import listed
from whisper_runtime.engine.model.decoder import Cache
from whisper_runtime.engine.model.load import Model
from whisper_runtime.engine.policy.queries import Align, Heard

FILTER_WIDTH: Final = 7
STRAIGHT, ALONG_TEXT, ALONG_TIME = range(3)


def hear(model: Model, cache: Cache, row: int, ask: Align, eot: int) -> Heard:
    """Reads the tokens of `ask` over the window that `row` of the cache listens to."""
    hidden, scores = model.decoder.attention(ask.tokens, cache, row, model.alignment_heads)
    text = list(ask.tokens[ask.skip + 1 : -1])
    logits = model.decoder.logits(hidden[ask.skip : ask.skip + len(text)])[:, :eot]
    probabilities = logits.softmax(dim=-1)[torch.arange(len(text)), text]
    weights = scores[:, :, : ask.frames // 2].softmax(dim=-1)
    std, mean = torch.std_mean(weights, dim=-2, keepdim=True, unbiased=False)
    matrix = median_filter((weights - mean) / std, FILTER_WIDTH).mean(dim=0)[ask.skip : -1]
    tokens, steps = path(-matrix.double().cpu().numpy())
    return Heard(tuple(listed(probabilities)), tokens, steps)


def path(costs: npt.NDArray[np.float64]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Dynamic time warping: rows and columns of the cheapest way from the first cell to the last.

    A diagonal of the table at a time: its cells depend on the two diagonals before it alone.
    """
    rows, columns = (int(length) for length in costs.shape)
    total = np.full((rows + 1, columns + 1), np.inf, dtype=np.float32)
    total[0, 0] = 0
    came = np.full((rows + 1, columns + 1), -1, dtype=np.int8)
    for diagonal in range(2, rows + columns + 1):
        i: npt.NDArray[np.signedinteger[Any]] = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        j: npt.NDArray[np.signedinteger[Any]] = diagonal - i
        straight, text, time = total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]
        way = np.where(
            (straight < text) & (straight < time),
            STRAIGHT,
            np.where((text < straight) & (text < time), ALONG_TEXT, ALONG_TIME),
        )
        came[i, j] = way
        total[i, j] = costs[i - 1, j - 1] + np.choose(way, (straight, text, time))
    return _back(came)


def _back(came: npt.NDArray[np.int8]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    came[0, :], came[:, 0] = ALONG_TIME, ALONG_TEXT
    i, j = (int(length) - 1 for length in came.shape)
    steps: list[tuple[int, int]] = []
    while i > 0 or j > 0:
        steps.append((i - 1, j - 1))
        way = int(came[i, j])
        i -= int(way != ALONG_TIME)
        j -= int(way != ALONG_TEXT)
    rows, columns = zip(*reversed(steps), strict=True)
    return tuple(map(int, rows)), tuple(map(int, columns))
