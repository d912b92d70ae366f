"""The step that a batch repeats: one more token for each row. On a GPU it is recorded once and played from then on.

A step of large-v3 is some 640 kernels, and starting them one by one from Python takes longer than computing them. A
CUDA graph starts all at once, but always the same ones at the same addresses: hence inputs in a tensor that stays, rows
in round numbers, and two lengths that attention reads (https://docs.pytorch.org/docs/stable/notes/cuda.html, CUDA
Graphs).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

import torch

from whisper_runtime.engine.model.decoder import Cache, Decoder

ROWS: Final = (1, 2, 4)
"""Below eight; from there on in steps of eight."""
SHORT: Final = 128
"""Positions that attention reads while no row has come further: most windows without a prompt end before."""

Step = Callable[[], torch.Tensor]
Record = Callable[[Step], Step]
"""Something that does again what the given step does now, into the same tensors. Raises RuntimeError."""

log = logging.getLogger(__name__)


class OneByOne:
    """Starts each operation from Python."""

    def __init__(self, decoder: Decoder, cache: Cache) -> None:
        self._decoder, self._cache = decoder, cache

    def __call__(self, tokens: Sequence[int], starts: Sequence[int], first: int = 0) -> torch.Tensor:
        """The logits (row, n_vocab), float32, after `tokens`, one for each of the cache's rows from `first` on.

        `starts` is how many tokens each row has said before. Raises torch.OutOfMemoryError.
        """
        hidden = self._decoder([[token] for token in tokens], starts, self._cache, first)
        return self._decoder.logits(hidden[:, -1])


class Recorded:
    """Records a step the first time that its size comes up; what it returns lasts until the next call."""

    def __init__(self, decoder: Decoder, cache: Cache, record: Record) -> None:
        self._decoder, self._cache = decoder, cache
        self._one_by_one = OneByOne(decoder, cache)
        self._record: Record | None = record
        self._steps: dict[tuple[int, int], Step] = {}
        self._inputs = torch.zeros(2, cache.rows, 1, dtype=torch.long, device=cache.tokens.device)
        """Tokens and positions."""

    def __call__(self, tokens: Sequence[int], starts: Sequence[int], first: int = 0) -> torch.Tensor:
        """As OneByOne, by which steps of other rows than the first ones go."""
        if first or self._record is None:
            return self._one_by_one(tokens, starts, first)
        rows, positions = min(_rounded(len(tokens)), self._cache.rows), self._cache.positions
        spare = rows - len(tokens)
        # Rows that fill up write to the last position, which no row reads before it has written there itself.
        filled = [[*tokens, *[0] * spare], [*starts, *[positions - 1] * spare]]
        self._inputs[:, :rows, 0].copy_(torch.tensor(filled))
        step = self._step(self._record, rows, min(SHORT, positions) if max(starts) < SHORT else positions)
        return step()[: len(tokens)] if step else self._one_by_one(tokens, starts)

    def _step(self, record: Record, rows: int, length: int) -> Step | None:
        if (rows, length) not in self._steps:
            tokens, positions = self._inputs[:, :rows]
            try:
                recorded = record(lambda: self._decoder.next(tokens, positions, self._cache, length))
            except torch.OutOfMemoryError:  # of this many rows; fewer are tried next
                raise
            except RuntimeError as error:
                log.warning("no step of %d rows can be recorded, so all are slower from now on: %s", rows, error)
                self._record = None
                return None
            self._steps[rows, length] = recorded
        return self._steps[rows, length]


def steps(decoder: Decoder, cache: Cache) -> OneByOne | Recorded:
    if cache.tokens.device.type == "cuda":
        return Recorded(decoder, cache, _cuda_graphs())
    return OneByOne(decoder, cache)


def _rounded(rows: int) -> int:
    return next((count for count in ROWS if count >= rows), -(-rows // 8) * 8)


def _cuda_graphs() -> Record:
    """They share their memory: only the last one's result is ever in use."""
    pool = torch.cuda.graph_pool_handle()

    def record(step: Step) -> Step:
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            step()  # what libraries set up at their first call cannot be recorded
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        # Other threads may ask CUDA for things meanwhile, as for metrics.
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            logits = step()

        def play() -> torch.Tensor:
            graph.replay()
            return logits

        return play

    return record
