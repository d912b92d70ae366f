"""A checkpoint of some kilobytes that openai-whisper loads, and a server that has it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mirror import Mirror, serving, whole
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.reports import FetchReport
from whisper_runtime.fetch.download import Patience
from whisper_runtime.fetch.fetch import fetch

DIMENSIONS = {
    "n_mels": 8,
    "n_audio_ctx": 4,
    "n_audio_state": 8,
    "n_audio_head": 2,
    "n_audio_layer": 1,
    "n_vocab": 16,
    "n_text_ctx": 4,
    "n_text_state": 8,
    "n_text_head": 2,
    "n_text_layer": 1,
}
IMPATIENT = Patience(stall_seconds=0.5, give_up_seconds=2.0, first_delay_seconds=0.01, longest_delay_seconds=0.05)


def saved(checkpoint: Any) -> bytes:
    import torch

    stream = io.BytesIO()
    torch.save(checkpoint, stream)
    return stream.getvalue()


def weights(**dims: int) -> dict[str, Any]:
    """What openai-whisper publishes, with random weights."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    wanted = {**DIMENSIONS, **dims}
    shapes = Whisper(ModelDimensions(**wanted)).state_dict().items()
    return {"dims": wanted, "model_state_dict": {name: torch.randn(tensor.shape).half() for name, tensor in shapes}}


@pytest.fixture(scope="session")
def content() -> bytes:
    return saved(weights())


@pytest.fixture
def mirror(content: bytes) -> Iterator[Mirror]:
    with serving(Mirror(content, [whole])) as found:
        yield found


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetched(cache: Path, url: str, sha256: str | None, *, claim_dir: Path | None = None, **more: Any) -> FetchReport:
    config = RuntimeConfig(model="mine", model_dir=str(cache), model_url=url, model_sha256=sha256, **more)
    return fetch(config, patience=IMPATIENT, claim_dir=str(claim_dir or cache))


def visible(cache: Path) -> list[str]:
    """What a server could take for a model."""
    return sorted(file.name for file in cache.iterdir() if not file.name.startswith(".")) if cache.exists() else []


def hidden(cache: Path) -> list[str]:
    return sorted(str(file.relative_to(cache)) for file in cache.rglob("*") if file.is_file() and file.suffix != ".pt")
