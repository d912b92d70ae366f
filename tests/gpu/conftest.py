"""The device under test, and what is computed on it: run on a card by `make gpu`, on the CPU with the other tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from testbed.inputs import weights
from whisper_runtime.engine.model import load
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.model.precision import Precision

DEVICE = os.environ.get("WHISPER_TEST_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
PRECISIONS = ("float32", "float16") if DEVICE == "cuda" else ("float32",)
"""Those that upstream computes in, too."""


@pytest.fixture(scope="session")
def device() -> torch.device:
    return torch.device(DEVICE)


@pytest.fixture(scope="session")
def checkpoint() -> Path:
    """tiny.en."""
    path = weights.path("tiny.en")
    return path if path.exists() else weights.ensure()["tiny.en"]


@pytest.fixture(scope="session", params=PRECISIONS)
def precision(request: pytest.FixtureRequest) -> Precision:
    return request.param


@pytest.fixture(scope="session")
def model(checkpoint: Path, precision: Precision) -> WhisperModel:
    return load.load(checkpoint, "cuda" if DEVICE == "cuda" else "cpu", precision)
