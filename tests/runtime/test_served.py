"""Which model is served, and what is claimed of it."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_runtime.contract import OFFICIAL_MODELS, RuntimeConfig
from whisper_runtime.served import served_model

DIGEST = "a" * 64


@pytest.mark.parametrize(
    ("config", "name", "digest"),
    [
        ({"model": "base"}, "base", OFFICIAL_MODELS["base"]),
        ({"model": "base", "model_sha256": DIGEST}, "base", DIGEST),
        ({"model": "/models/mine.pt", "model_sha256": DIGEST}, "mine", DIGEST),
        ({"model": "/models/base.pt"}, "base", None),  # a file of that name may hold anything
    ],
)
def test_name_and_digest(config: dict[str, Any], name: str, digest: str | None) -> None:
    served = served_model(RuntimeConfig(**config))
    assert (served.name, served.digest) == (name, digest)


@pytest.mark.parametrize(
    ("model", "language", "default"),
    [
        ("base", "auto", None),
        ("base", "de", "de"),
        ("base", "German", "de"),  # as openai-whisper takes it
        ("base.en", "auto", "en"),
    ],
)
def test_the_language_of_requests_that_name_none(model: str, language: str, default: str | None) -> None:
    assert served_model(RuntimeConfig(model=model, language=language)).default_language == default


@pytest.mark.parametrize(
    ("config", "english_only", "translates"),
    [
        ({"model": "base"}, False, True),
        ({"model": "base.en"}, True, False),
        ({"model": "turbo"}, False, False),
        ({"model": "large-v3-turbo"}, False, False),
        ({"model": "/models/mine.pt", "model_sha256": OFFICIAL_MODELS["turbo"]}, False, False),
    ],
)
def test_what_the_model_can(config: dict[str, Any], english_only: bool, translates: bool) -> None:
    served = served_model(RuntimeConfig(**config))
    assert (served.english_only, served.translates) == (english_only, translates)
