"""A step that is recorded and played again is the step itself, whoever is in the batch and however far they are.

What a GPU records are operations on tensors at fixed addresses. So does the recorder here, on a CPU.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.runtime.engine.conftest import Counts, ask, hum, until
from whisper_runtime.engine.batching import batch
from whisper_runtime.engine.batching.worker import table_of
from whisper_runtime.engine.model.cuda_graphs import SHORT, OneByOne, Recorded, Step
from whisper_runtime.engine.model.decoder import Cache
from whisper_runtime.engine.model.load import Model
from whisper_runtime.engine.transcription import Options

ROWS = 12


class Recorder(TorchDispatchMode):
    """Writes down each operation, with the tensors that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, found))
        return found


class Recording:
    """Records steps, and counts how often each was recorded and played."""

    def __init__(self) -> None:
        self.recorded = self.played = 0

    def __call__(self, step: Step) -> Step:
        self.recorded += 1
        with Recorder() as recorder:
            result = step()

        def play() -> torch.Tensor:
            self.played += 1
            anew: dict[int, Any] = {}
            for func, args, kwargs, found in recorder.calls:
                self._keep(found, func(*_replaced(args, anew), **_replaced(kwargs, anew)), anew)
            return anew[id(result)]

        return play

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
def cache(smallest: Model) -> Cache:
    """Each row listens to another window, and has said other words up to the last position."""
    torch.manual_seed(2)
    with torch.inference_mode():
        cache = smallest.decoder.cache(ROWS, 1500)
        for row in range(ROWS):
            smallest.decoder.listen(torch.randn(1, 1500, 16), cache, row)
        cache.tokens.normal_()
    return cache


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def recorded(smallest: Model, cache: Cache, recording: Recording) -> Recorded:
    with torch.inference_mode():
        return Recorded(smallest.decoder, cache, recording)


def same(smallest: Model, recorded: Recorded, cache: Cache, starts: Sequence[int], first: int = 0) -> bool:
    """Whether a step from there says the same, and leaves the same behind wherever a row has been."""
    plain = OneByOne(smallest.decoder, copy.deepcopy(cache))
    tokens = [100 + start for start in starts]
    with torch.inference_mode():
        wanted, found = plain(tokens, starts, first), recorded(tokens, starts, first)
    before_last = slice(0, cache.positions - 1)
    left = plain._cache.tokens[..., before_last, :], cache.tokens[..., before_last, :]
    return torch.allclose(wanted, found, atol=1e-5) and torch.allclose(*left, atol=1e-5)


def test_what_is_played_is_the_step_whoever_is_there_and_however_far(
    smallest: Model, recorded: Recorded, cache: Cache, recording: Recording
) -> None:
    """Given steps of one and of twelve rows, near and far, each played again with other tokens at other positions."""
    far = cache.positions - 1
    for starts in ([4], [9], [4, 5, 6], [60, 7, 8], [SHORT - 1], [SHORT], [far], [3] * 7 + [far], list(range(ROWS))):
        assert same(smallest, recorded, cache, starts), starts
    assert (recording.recorded, recording.played) == (5, 9)


def test_rows_that_do_not_take_part_lose_nothing(smallest: Model, recorded: Recorded, cache: Cache) -> None:
    """Given a step of three rows, which is played as one of four: the fourth one is somebody's."""
    assert same(smallest, recorded, cache, [4, 5, 6])
    assert same(smallest, recorded, cache, [4, 5, 6, cache.positions - 1])


def test_other_rows_than_the_first_are_not_recorded(
    smallest: Model, recorded: Recorded, cache: Cache, recording: Recording
) -> None:
    assert same(smallest, recorded, cache, [4, 50], first=3)
    assert recording.recorded == 0


def test_where_nothing_can_be_recorded_the_steps_go_on_and_it_is_told_once(
    smallest: Model, cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    def cannot(step: Step) -> Step:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    with torch.inference_mode():
        steps = Recorded(smallest.decoder, cache, cannot)
    with caplog.at_level(logging.WARNING):
        assert same(smallest, steps, cache, [4, 5])
        assert same(smallest, steps, cache, [5])
    assert [record.getMessage() for record in caplog.records] == [
        "no step of 2 rows can be recorded, so all are slower from now on: "
        "CUDA error: operation not permitted when stream is capturing"
    ]


def test_where_memory_is_short_fewer_rows_are_recorded_next(smallest: Model, cache: Cache) -> None:
    def record(step: Step) -> Step:
        if len(step()) > 2:
            raise torch.OutOfMemoryError
        return Recording()(step)

    with torch.inference_mode():
        steps = Recorded(smallest.decoder, cache, record)
        with pytest.raises(torch.OutOfMemoryError):
            steps([100, 101, 102], [4, 5, 6])
    assert same(smallest, steps, cache, [4, 5])


@pytest.mark.usefixtures("short_windows")
def test_requests_get_the_same_words(smallest: Model, recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given seven requests of other lengths, prompts and tasks, which come and go."""

    def answers() -> list[str]:
        table = table_of(smallest, Counts(), 4)
        futures = [
            ask(table, hum(2 + 9 * n, 100 + 40 * n), Options(language="en", prompt="ask " * n, temperatures=(0.0,)))
            for n in range(7)
        ]
        until(table, lambda: all(future.done() for future in futures))
        return [future.result().text for future in futures]

    plain = answers()
    monkeypatch.setattr(batch, "steps", lambda decoder, cache: Recorded(decoder, cache, recording))
    assert answers() == plain
    assert recording.played > 20 > recording.recorded
