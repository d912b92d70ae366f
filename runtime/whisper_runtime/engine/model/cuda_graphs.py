"""The decode step of a batch: one more token for each row. On a GPU it is captured once as a CUDA graph and replayed.

A step of large-v3 is some 600 kernels, and launching them one by one from Python takes longer than computing them. A
CUDA graph launches all at once, but always the same ones at the same addresses: hence inputs in a tensor that stays,
padded batch sizes, and two lengths that attention reads
(https://docs.pytorch.org/docs/stable/notes/cuda.html, CUDA Graphs).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import torch

from whisper_runtime.engine.model.decoder import Decoder
from whisper_runtime.engine.model.kv_cache import KVCache

SMALL_BATCH_SIZES: Final = (1, 2, 4)
"""Sizes that are captured below eight; from there on in steps of eight."""
SHORT_CONTEXT: Final = 128
"""Positions that attention reads while no row has come further: most windows without a prompt end before."""

StepRow = tuple[int, ...]
"""What is told of a row: its next token, the number of its tokens in the cache, and its rules."""
Choose = Callable[[torch.Tensor, torch.Tensor, Sequence[bool]], torch.Tensor]
"""What is found for each row, (row, n), float32, from logits, (row, n_vocab), float32, which it may change, and rules,
(row, m), int64. The last argument: for each rule whether any row has another than 0. Does not wait for the device."""


@dataclass(frozen=True)
class StepOutput:
    """Both tensors are on the device, and valid until the next step."""

    found: torch.Tensor
    """What was chosen, a row for each row of the step."""
    logits: torch.Tensor
    """(row, n_vocab), float32, as `Choose` left them."""
    is_replayed: bool


Launch = Callable[[], tuple[torch.Tensor, torch.Tensor]]
"""Computes what is found and logits of one step, from and into tensors at fixed addresses."""
Capture = Callable[[Launch], Launch]
"""Captures `launch` as a CUDA graph; returns its replay, into the same tensors. Raises RuntimeError."""

log = logging.getLogger(__name__)


class DecodeStep(Protocol):
    @property
    def is_recorded(self) -> bool:
        """Whether steps are replayed, so that one costs the host next to nothing."""
        ...

    def __call__(self, rows: Sequence[StepRow], first_row: int = 0) -> StepOutput:
        """One more token for each of the cache's rows from `first_row` on. Raises torch.OutOfMemoryError."""
        ...


MakeDecodeStep = Callable[[Decoder, KVCache, Choose, int], DecodeStep]
"""Makes the step that decodes the rows of a cache; the last argument is the number of a row's rules."""


class EagerStep:
    """Launches each operation from Python."""

    is_recorded = False

    def __init__(self, decoder: Decoder, cache: KVCache, choose: Choose, _: int) -> None:
        self._decoder, self._cache, self._choose = decoder, cache, choose

    def __call__(self, rows: Sequence[StepRow], first_row: int = 0) -> StepOutput:
        tokens, starts, *rules = zip(*rows, strict=True)
        hidden = self._decoder([[token] for token in tokens], starts, self._cache, first_row)
        logits = self._decoder.logits(hidden[:, -1])
        of_rows = torch.tensor(rules, device=logits.device).T
        return StepOutput(self._choose(logits, of_rows, [any(rule) for rule in rules]), logits, False)


class GraphedStep:
    """Captures all steps when it is made. Those that do not begin at row 0 are eager, and those without a graph."""

    def __init__(
        self, decoder: Decoder, cache: KVCache, choose: Choose, num_rules: int, capture: Capture, *, pinned: bool = True
    ) -> None:
        """Rows are told through memory that is `pinned`, so that the host does not wait for its copy."""
        self._decoder, self._cache, self._choose = decoder, cache, choose
        self._eager = EagerStep(decoder, cache, choose, num_rules)
        self._told = torch.zeros(cache.rows, 2 + num_rules, dtype=torch.long, pin_memory=pinned)
        self._inputs = torch.zeros_like(self._told, device=cache.self_attention.device)
        self._unused: StepRow = (0, cache.positions - 1, *[0] * num_rules)
        """Padding: it writes to the last position, which no row reads before it has written there itself."""
        self._replays = dict(self._captured(capture))
        """By batch size and length."""

    @property
    def is_recorded(self) -> bool:
        return bool(self._replays)

    def __call__(self, rows: Sequence[StepRow], first_row: int = 0) -> StepOutput:
        size = self._padded(len(rows))
        furthest = max(position for _, position, *_ in rows)
        replay = self._replays.get((size, self._length(furthest)))
        if first_row or replay is None:
            return self._eager(rows, first_row)
        self._told[:size] = torch.tensor([*rows, *[self._unused] * (size - len(rows))])
        self._inputs[:size].copy_(self._told[:size], non_blocking=True)
        found, logits = replay()
        return StepOutput(found[: len(rows)], logits[: len(rows)], True)

    def _captured(self, capture: Capture) -> Iterator[tuple[tuple[int, int], Launch]]:
        """The largest first, whose memory the others then use. What cannot be captured is left out, and a warning says
        what it costs."""
        failed: list[tuple[int, RuntimeError]] = []
        for size in sorted({self._padded(rows) for rows in range(1, self._cache.rows + 1)}, reverse=True):
            for length in {self._length(0), self._cache.positions}:
                try:
                    yield (size, length), capture(lambda size=size, length=length: self._launch(size, length))
                except RuntimeError as error:  # also torch.OutOfMemoryError, which a capture may tell as another error
                    failed.append((size, error))
        if failed:
            log.warning(
                "Decode steps of %s rows are slower than they might be: they cannot be captured as CUDA graphs: %s",
                ", ".join(str(size) for size in sorted({size for size, _ in failed})),
                failed[0][1],
            )

    def _launch(self, size: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        inputs = self._inputs[:size]
        logits = self._decoder.next_logits(inputs[:, :1], inputs[:, 1:2], self._cache, length)
        rules = inputs[:, 2:]
        return self._choose(logits, rules, [True] * rules.shape[1]), logits

    def _padded(self, rows: int) -> int:
        size = next((size for size in SMALL_BATCH_SIZES if size >= rows), -(-rows // 8) * 8)
        return min(size, self._cache.rows)

    def _length(self, furthest: int) -> int:
        """Positions that attention reads where a row's token has the position `furthest`."""
        return min(SHORT_CONTEXT, self._cache.positions) if furthest < SHORT_CONTEXT else self._cache.positions


def decode_step(decoder: Decoder, cache: KVCache, choose: Choose, num_rules: int) -> DecodeStep:
    """The fastest step for the cache's device."""
    if cache.self_attention.device.type == "cuda":
        return GraphedStep(decoder, cache, choose, num_rules, _cuda_capture())
    return EagerStep(decoder, cache, choose, num_rules)


def _cuda_capture() -> Capture:
    """All graphs share one memory pool: only the last one's outputs are ever in use."""
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
            outputs = launch()

        def replay() -> tuple[torch.Tensor, torch.Tensor]:
            graph.replay()
            return outputs

        return replay

    return capture
