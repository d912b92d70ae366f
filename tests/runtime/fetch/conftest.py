"""A checkpoint of some kilobytes that openai-whisper loads, and a mirror that has it."""

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
from whisper_runtime.fetch.download import RetryPolicy
from whisper_runtime.fetch.fetch import fetch
from whisper_runtime.fetch.source_http import HttpSource

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
QUICK = RetryPolicy(stall_seconds=2.0, give_up_seconds=2.0, first_delay_seconds=0.01, longest_delay_seconds=0.05)


def saved(checkpoint: Any) -> bytes:
    import torch

    stream = io.BytesIO()
    torch.save(checkpoint, stream)
    return stream.getvalue()


def weights(**dims: int) -> dict[str, Any]:
    """A checkpoint as openai-whisper publishes it, with random weights."""
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


def fetched(
    cache: Path, url: str | None, sha256: str | None, *, claim_dir: Path | None = None, **more: Any
) -> FetchReport:
    config = RuntimeConfig(model="mine", model_dir=str(cache), model_url=url, model_sha256=sha256, **more)
    return fetch(config, policy=QUICK, claim_dir=str(claim_dir or cache))


def visible(cache: Path) -> list[str]:
    """Names of the files that a server could take for a model."""
    return sorted(file.name for file in cache.iterdir() if not file.name.startswith(".")) if cache.exists() else []


def name_of(content: bytes) -> str:
    """Name of the cached file."""
    return f"mine-{digest(content)[:12]}.pt"


def http_source(url: str, authorization: str | None = None) -> HttpSource:
    return HttpSource("the mirror", lambda: url, authorization, None, stall_seconds=0.5)


def received(source: HttpSource, offset: int = 0, version: str | None = None) -> bytes:
    with source.open(offset, version) as body:
        return b"".join(body.blocks)
