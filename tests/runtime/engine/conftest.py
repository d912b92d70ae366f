"""A model of the smallest size with random weights: it transcribes nonsense, quickly, and the same each time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from whisper.model import ModelDimensions, Whisper

from tests.fakes.observer import CountingObserver
from tests.fakes.runner import FaultyRunner, faulty_runner
from whisper_runtime.engine.batching.request import TranscriptionRequest
from whisper_runtime.engine.batching.scheduler import Scheduler
from whisper_runtime.engine.batching.throughput import ThroughputMeter
from whisper_runtime.engine.interface import OnSegments, Samples
from whisper_runtime.engine.model import load
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.transcription import Options, Transcription

DIMS = ModelDimensions(80, 1500, 16, 2, 1, 51865, 448, 16, 2, 2)

T = TypeVar("T")


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("model") / "smallest.pt"
    weights = {name: value.half() for name, value in Whisper(DIMS).state_dict().items()}
    weights["decoder.positional_embedding"] = torch.randn(DIMS.n_text_ctx, DIMS.n_text_state).half()
    torch.save({"dims": asdict(DIMS), "model_state_dict": weights}, path)
    return path


@pytest.fixture(scope="session")
def smallest(checkpoint: Path) -> WhisperModel:
    return load.load(checkpoint, "cpu", "float32")


@pytest.fixture
def observer() -> CountingObserver:
    return CountingObserver()


@pytest.fixture
def runner(smallest: WhisperModel, observer: CountingObserver) -> FaultyRunner:
    """Four slots, and no fault."""
    return faulty_runner(smallest, observer, 4)


@pytest.fixture
def scheduler(runner: FaultyRunner, observer: CountingObserver) -> Scheduler:
    return Scheduler(runner, observer, ThroughputMeter())


def hum(seconds: float, pitch: float = 100.0) -> Samples:
    """A tone: the smallest model's text differs for each pitch."""
    return (0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * 16_000)) / 16_000)).astype(np.float32)


def submit(
    scheduler: Scheduler, samples: Samples, options: Options, on_segments: OnSegments | None = None
) -> Future[Transcription]:
    future: Future[Transcription] = Future()
    scheduler.add(TranscriptionRequest(samples, options, future, on_segments, submitted_at=0.0))
    return future


def iterate_until(scheduler: Scheduler, done: Callable[[], bool]) -> None:
    """Fails where `done` does not come true."""
    for _ in range(5000):
        if done():
            return
        scheduler.iterate()
    raise AssertionError("5,000 iterations were not enough")


def exhaust(generator: Generator[Any, None, T]) -> tuple[T, int]:
    """What the generator returns when None is sent for all that it yields, and how often it yielded."""
    returned: list[T] = []

    def run() -> Generator[Any, None, None]:
        returned.append((yield from generator))

    yields = sum(1 for _ in run())
    return returned[0], yields
