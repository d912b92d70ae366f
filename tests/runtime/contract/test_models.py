"""The path of a checkpoint in the cache follows from its name and its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from whisper_runtime.contract import models


def test_two_checkpoints_of_one_name_never_collide() -> None:
    paths = {models.checkpoint_path("/models", "base", sha256) for sha256 in (None, "a" * 64, "b" * 64)}
    assert len(paths) == 3


def test_a_name_of_nobody_needs_a_digest() -> None:
    with pytest.raises(ValueError, match="'my-model' is not a model of openai-whisper"):
        models.checkpoint_path("/models", "my-model", None)


def test_the_users_digest_comes_before_the_published_one() -> None:
    assert models.expected_sha256("base", "a" * 64) == "a" * 64
    assert models.expected_sha256("base", None) == models.OFFICIAL_MODELS["base"]
    assert models.expected_sha256("my-model", None) is None


def test_an_encoder_comes_with_the_runtime_or_is_a_file() -> None:
    assert models.encoder_path("/models", "/models/voices.pt", None) == "/models/voices.pt"
    with pytest.raises(
        ValueError, match=r"'voices' is no speaker encoder that comes .*: use resemblyzer, give its sha256, or"
    ):
        models.encoder_path("/models", "voices", None)


@pytest.mark.parametrize(("encoder", "sha256"), models.PACKAGED_ENCODERS.items())
def test_each_that_comes_with_the_runtime_is_there(encoder: str, sha256: str) -> None:
    assert hashlib.sha256(Path(models.encoder_path("/models", encoder, None)).read_bytes()).hexdigest() == sha256


def test_an_encoder_of_ones_own_is_in_the_cache_by_its_digest() -> None:
    assert models.encoder_path("/models", "voices", "a" * 64) == "/models/voices-aaaaaaaaaaaa.pt"
    assert models.encoder_sha256("voices", "a" * 64) == "a" * 64
    assert models.encoder_sha256("voices", None) is None
