"""Real weights and real speech for every test that wants them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hack.inputs import recordings as speech
from hack.inputs import weights as checkpoints


@pytest.fixture(scope="session")
def weights() -> dict[str, Path]:
    """Checkpoints by model name: `base`, `tiny.en`."""
    return checkpoints.ensure()


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Directory of `jfk.wav` and `librivox/`."""
    return speech.ensure()
