"""A decode step that is captured and replayed computes what the eager step does, for any rows at any positions.

A CUDA graph consists of operations on tensors at fixed addresses. So does the capture here, on a CPU.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.fakes.observer import CountingObserver
from tests.fakes.runner import faulty_runner
from tests.runtime.engine.conftest import hum, iterate_until, submit
from whisper_runtime.engine.batching.scheduler import Scheduler
from whisper_runtime.engine.batching.throughput import ThroughputMeter
from whisper_runtime.engine.model.cuda_graphs import (
    SHORT_CONTEXT,
    EagerStep,
    GraphedStep,
    Launch,
    MakeDecodeStep,
    decode_step,
)
from whisper_runtime.engine.model.kv_cache import KVCache
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.transcription import Options

ROWS = 12


class OperationRecorder(TorchDispatchMode):
    """Keeps each operation, with the tensors that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, found))
        return found


class FakeCapture:
    """Captures steps, and counts captures and replays."""

    def __init__(self) -> None:
        self.captures = self.replays = 0

    def __call__(self, launch: Launch) -> Launch:
        self.captures += 1
        with OperationRecorder() as recorder:
            result = launch()

        def replay() -> torch.Tensor:
            self.replays += 1
            anew: dict[int, Any] = {}
            for func, args, kwargs, found in recorder.calls:
                self._keep(found, func(*_replaced(args, anew), **_replaced(kwargs, anew)), anew)
            return anew[id(result)]

        return replay

    def _keep(self, before: Any, now: Any, anew: dict[int, Any]) -> None:
        if isinstance(before, torch.Tensor):
            anew[id(before)] = now
        elif isinstance(before, list | tuple):
            for one, other in zip(before, now, strict=True):  # pyright: ignore[reportUnknownVariableType]
                self._keep(one, other, anew)


def _replaced(value: Any, anew: dict[int, Any]) -> Any:
    if isinstance(value, torch.Tensor):
        return anew.get(id(value), value)
    if isinstance(value, list | tuple):
        return type(value)(_replaced(one, anew) for one in value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {name: _replaced(one, anew) for name, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value


@pytest.fixture
def cache(smallest: WhisperModel) -> KVCache:
    """Each row attends to another window, and has other tokens up to the last position."""
    torch.manual_seed(2)
    with torch.inference_mode():
        cache = smallest.decoder.new_cache(ROWS, 1500)
        for row in range(ROWS):
            smallest.decoder.cache_window(torch.randn(1, 1500, 16), cache, row)
        cache.self_attention.normal_()
    return cache


@pytest.fixture
def capture() -> FakeCapture:
    return FakeCapture()


@pytest.fixture
def graphed(smallest: WhisperModel, cache: KVCache, capture: FakeCapture) -> GraphedStep:
    with torch.inference_mode():
        return GraphedStep(smallest.decoder, cache, capture)


def same(smallest: WhisperModel, graphed: GraphedStep, cache: KVCache, starts: Sequence[int], first: int = 0) -> bool:
    """Whether a step at these positions returns the same logits, and leaves the same in the cache of every row."""
    eager_cache = copy.deepcopy(cache)
    eager = EagerStep(smallest.decoder, eager_cache)
    tokens = [100 + start for start in starts]
    with torch.inference_mode():
        wanted, found = eager(tokens, starts, first), graphed(tokens, starts, first)
    before_last = slice(0, cache.positions - 1)
    left = eager_cache.self_attention[..., before_last, :], cache.self_attention[..., before_last, :]
    return torch.allclose(wanted, found, atol=1e-5) and torch.allclose(*left, atol=1e-5)


def test_a_replay_is_the_eager_step_for_any_rows_at_any_positions(
    smallest: WhisperModel, graphed: GraphedStep, cache: KVCache, capture: FakeCapture
) -> None:
    """Given steps of one and of twelve rows, near and far, each replayed with other tokens at other positions."""
    far = cache.positions - 1
    for starts in (
        [4],
        [9],
        [4, 5, 6],
        [60, 7, 8],
        [SHORT_CONTEXT - 1],
        [SHORT_CONTEXT],
        [far],
        [3] * 7 + [far],
        list(range(ROWS)),
    ):
        assert same(smallest, graphed, cache, starts), starts
    assert (capture.captures, capture.replays) == (5, 9)


def test_padding_rows_overwrite_no_other_rows_tokens(
    smallest: WhisperModel, graphed: GraphedStep, cache: KVCache
) -> None:
    """Given a step of three rows, which is replayed as one of four: the fourth row has tokens of its own."""
    assert same(smallest, graphed, cache, [4, 5, 6])
    assert same(smallest, graphed, cache, [4, 5, 6, cache.positions - 1])


def test_a_step_that_does_not_begin_at_the_first_row_is_eager(
    smallest: WhisperModel, graphed: GraphedStep, cache: KVCache, capture: FakeCapture
) -> None:
    assert same(smallest, graphed, cache, [4, 50], first=3)
    assert capture.captures == 0


def test_where_nothing_can_be_captured_the_steps_are_eager_and_one_warning_says_so(
    smallest: WhisperModel, cache: KVCache, caplog: pytest.LogCaptureFixture
) -> None:
    def cannot(launch: Launch) -> Launch:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    with torch.inference_mode():
        step = GraphedStep(smallest.decoder, cache, cannot)
    with caplog.at_level(logging.WARNING):
        assert same(smallest, step, cache, [4, 5])
        assert same(smallest, step, cache, [5])
    assert [record.getMessage() for record in caplog.records] == [
        "CUDA graphs are off: a decode step of 2 rows cannot be captured, so all steps are slower: "
        "CUDA error: operation not permitted when stream is capturing"
    ]


def test_where_memory_is_short_fewer_rows_are_captured_next(smallest: WhisperModel, cache: KVCache) -> None:
    def capture(launch: Launch) -> Launch:
        if len(launch()) > 2:
            raise torch.OutOfMemoryError
        return FakeCapture()(launch)

    with torch.inference_mode():
        step = GraphedStep(smallest.decoder, cache, capture)
        with pytest.raises(torch.OutOfMemoryError):
            step([100, 101, 102], [4, 5, 6])
    assert same(smallest, step, cache, [4, 5])


def test_requests_get_the_same_text(smallest: WhisperModel, capture: FakeCapture) -> None:
    """Given seven requests of different lengths, prompts and tasks, which come and go."""

    def texts(make_step: MakeDecodeStep) -> list[str]:
        observer = CountingObserver()
        scheduler = Scheduler(faulty_runner(smallest, observer, 4, make_step), observer, ThroughputMeter())
        futures = [
            submit(
                scheduler,
                hum(2 + 9 * n, 100 + 40 * n),
                Options(language="en", prompt="ask " * n, temperatures=(0.0,)),
            )
            for n in range(7)
        ]
        iterate_until(scheduler, lambda: all(future.done() for future in futures))
        return [future.result().text for future in futures]

    assert texts(lambda decoder, cache: GraphedStep(decoder, cache, capture)) == texts(decode_step)
    assert capture.replays > 20 > capture.captures
