"""The decode step of a batch: one more token for each row. On a GPU it is captured once as a CUDA graph and replayed.

A step of large-v3 is some 640 kernels, and launching them one by one from Python takes longer than computing them. A
CUDA graph launches all at once, but always the same ones at the same addresses: hence inputs in a tensor that stays,
padded batch sizes, and two lengths that attention reads
(https://docs.pytorch.org/docs/stable/notes/cuda.html, CUDA Graphs).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import torch

from whisper_runtime.engine.model.decoder import Decoder
from whisper_runtime.engine.model.kv_cache import KVCache

SMALL_BATCH_SIZES: Final = (1, 2, 4)
"""Sizes that are captured below eight; from there on in steps of eight."""
SHORT_CONTEXT: Final = 128
"""Positions that attention reads while no row has come further: most windows without a prompt end before."""

Launch = Callable[[], torch.Tensor]
"""Computes one step from and into tensors at fixed addresses."""
Capture = Callable[[Launch], Launch]
"""Captures `launch` as a CUDA graph; returns its replay, into the same tensors. Raises RuntimeError."""

log = logging.getLogger(__name__)


class DecodeStep(Protocol):
    def __call__(self, tokens: Sequence[int], starts: Sequence[int], first_row: int = 0) -> torch.Tensor:
        """The logits (row, n_vocab), float32, after `tokens`, one for each of the cache's rows from `first_row` on.

        `starts` is how many tokens of each row are in the cache already. The result is valid until the next call.
        Raises torch.OutOfMemoryError.
        """
        ...


MakeDecodeStep = Callable[[Decoder, KVCache], DecodeStep]
"""Makes the step that decodes the rows of a cache."""


class EagerStep:
    """Launches each operation from Python."""

    def __init__(self, decoder: Decoder, cache: KVCache) -> None:
        self._decoder, self._cache = decoder, cache

    def __call__(self, tokens: Sequence[int], starts: Sequence[int], first_row: int = 0) -> torch.Tensor:
        hidden = self._decoder([[token] for token in tokens], starts, self._cache, first_row)
        return self._decoder.logits(hidden[:, -1])


class GraphedStep:
    """Captures a step the first time that its batch size comes up; steps that do not begin at row 0 are eager."""

    def __init__(self, decoder: Decoder, cache: KVCache, capture: Capture) -> None:
        self._decoder, self._cache = decoder, cache
        self._eager = EagerStep(decoder, cache)
        self._capture: Capture | None = capture
        """None: this device cannot capture."""
        self._replays: dict[tuple[int, int], Launch] = {}
        """By batch size and length."""
        self._inputs = torch.zeros(2, cache.rows, 1, dtype=torch.long, device=cache.self_attention.device)
        """Tokens and positions."""

    def __call__(self, tokens: Sequence[int], starts: Sequence[int], first_row: int = 0) -> torch.Tensor:
        if first_row or self._capture is None:
            return self._eager(tokens, starts, first_row)
        rows, positions = min(_padded_batch_size(len(tokens)), self._cache.rows), self._cache.positions
        padding = rows - len(tokens)
        # Padding rows write to the last position, which no row reads before it has written there itself.
        padded = [[*tokens, *[0] * padding], [*starts, *[positions - 1] * padding]]
        self._inputs[:, :rows, 0].copy_(torch.tensor(padded))
        length = min(SHORT_CONTEXT, positions) if max(starts) < SHORT_CONTEXT else positions
        replay = self._replay(self._capture, rows, length)
        return replay()[: len(tokens)] if replay else self._eager(tokens, starts)

    def _replay(self, capture: Capture, rows: int, length: int) -> Launch | None:
        """None where the device cannot capture."""
        if (rows, length) not in self._replays:
            tokens, positions = self._inputs[:, :rows]
            try:
                captured = capture(lambda: self._decoder.next_logits(tokens, positions, self._cache, length))
            except torch.OutOfMemoryError:  # of this many rows; fewer are tried next
                raise
            except RuntimeError as error:
                log.warning(
                    "CUDA graphs are off: a decode step of %d rows cannot be captured, so all steps are slower: %s",
                    rows,
                    error,
                )
                self._capture = None
                return None
            self._replays[rows, length] = captured
        return self._replays[rows, length]


def decode_step(decoder: Decoder, cache: KVCache) -> DecodeStep:
    """The fastest step for the cache's device."""
    if cache.self_attention.device.type == "cuda":
        return GraphedStep(decoder, cache, _cuda_capture())
    return EagerStep(decoder, cache)


def _padded_batch_size(rows: int) -> int:
    return next((size for size in SMALL_BATCH_SIZES if size >= rows), -(-rows // 8) * 8)


def _cuda_capture() -> Capture:
    """All graphs share one memory pool: only the last one's result is ever in use."""
    pool = torch.cuda.graph_pool_handle()

    def capture(launch: Launch) -> Launch:
        side_stream = torch.cuda.Stream()
        side_stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side_stream):
            launch()  # what libraries set up at their first call cannot be captured
        torch.cuda.current_stream().wait_stream(side_stream)
        graph = torch.cuda.CUDAGraph()
        # Other threads may ask CUDA for things meanwhile, as for metrics.
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            logits = launch()

        def replay() -> torch.Tensor:
            graph.replay()
            return logits

        return replay

    return capture
