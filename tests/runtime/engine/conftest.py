"""A model of the smallest size with weights at random: it says nonsense, quickly, and the same each time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from whisper.model import ModelDimensions, Whisper

from whisper_runtime.engine.batching import batch, beam_search
from whisper_runtime.engine.batching.request import Request
from whisper_runtime.engine.batching.scheduler import Table
from whisper_runtime.engine.batching.worker import table_of
from whisper_runtime.engine.interface import OnSegments, Samples
from whisper_runtime.engine.model import load
from whisper_runtime.engine.model.load import Model
from whisper_runtime.engine.transcription import Options, Transcription

DIMS = ModelDimensions(80, 1500, 16, 2, 1, 51865, 448, 16, 2, 2)


class Counts:
    """An Observer that a test reads."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.rows: list[int] = []
        self.fallbacks = self.silences = self.cancellations = self.splits = 0

    def stage(self, name: str, seconds: float) -> None:
        assert seconds >= 0
        self.stages.append(name)

    def batch(self, rows: int, capacity: int) -> None:
        assert 0 < rows <= capacity
        self.rows.append(rows)

    def fallback(self) -> None:
        self.fallbacks += 1

    def no_speech(self) -> None:
        self.silences += 1

    def cancelled(self) -> None:
        self.cancellations += 1

    def split(self) -> None:
        self.splits += 1


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("model") / "smallest.pt"
    weights = {name: value.half() for name, value in Whisper(DIMS).state_dict().items()}
    weights["decoder.positional_embedding"] = torch.randn(DIMS.n_text_ctx, DIMS.n_text_state).half()
    torch.save({"dims": asdict(DIMS), "model_state_dict": weights}, path)
    return path


@pytest.fixture(scope="session")
def smallest(checkpoint: Path) -> Model:
    return load.load(checkpoint, "cpu", "float32")


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def table(smallest: Model, counts: Counts) -> Table:
    """Places for four windows."""
    return table_of(smallest, counts, 4)


@pytest.fixture
def short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights at random never come to an end by themselves."""
    for module in (batch, beam_search):
        monkeypatch.setattr(module, "SAMPLED_AT_MOST", 12)


def hum(seconds: float, pitch: float = 100.0) -> Samples:
    """A tone: each pitch has the smallest model say something else."""
    return (0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * 16_000)) / 16_000)).astype(np.float32)


def ask(
    table: Table, samples: Samples, options: Options, on_segments: OnSegments | None = None
) -> Future[Transcription]:
    future: Future[Transcription] = Future()
    table.add(Request(samples, options, future, on_segments, since=0.0))
    return future


def until(table: Table, done: Callable[[], bool]) -> None:
    """Turns until `done`; fails where that never comes."""
    for _ in range(5000):
        if done():
            return
        table.turn()
    raise AssertionError("it never ends")
