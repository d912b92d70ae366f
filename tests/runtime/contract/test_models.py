"""The path of a checkpoint in the cache follows from its name and its digest."""

from __future__ import annotations

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
