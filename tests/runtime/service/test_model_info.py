"""Which model is served, and what is claimed of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.engine import ENGLISH, MULTILINGUAL, TURBO
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import OFFICIAL_MODELS
from whisper_runtime.engine.interface import Abilities
from whisper_runtime.service.model_info import promised_digest, served_model

DIGEST = "a" * 64


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("base.en", "base.en"),
        ("/models/mine.pt", "mine"),
        ("/models/base.en.pt", "base.en"),
        ("/models/base.en", "base.en"),
    ],
)
def test_a_model_is_called_by_its_name_or_its_files(model: str, name: str) -> None:
    assert served_model(RuntimeConfig(model=model), DIGEST, MULTILINGUAL).name == name


@pytest.mark.parametrize(
    ("config", "digest"),
    [
        ({"model": "base"}, OFFICIAL_MODELS["base"]),
        ({"model": "base", "model_sha256": DIGEST}, DIGEST),
        ({"model": "/models/mine.pt", "model_sha256": DIGEST}, None),  # to be compared with the file's own
        ({"model": "/models/base.pt"}, None),  # a file of that name may hold anything
    ],
)
def test_a_name_promises_a_digest_and_a_path_none(config: dict[str, Any], digest: str | None) -> None:
    assert promised_digest(RuntimeConfig(**config)) == digest


@pytest.mark.parametrize(
    ("abilities", "language", "default"),
    [
        (MULTILINGUAL, "auto", None),
        (MULTILINGUAL, "de", "de"),
        (MULTILINGUAL, "German", "de"),  # as openai-whisper takes it
        (TURBO, "auto", None),
        (ENGLISH, "auto", "en"),
    ],
)
def test_the_language_of_requests_that_name_none(abilities: Abilities, language: str, default: str | None) -> None:
    config = RuntimeConfig(model="/models/mine.pt", language=language)
    assert served_model(config, DIGEST, abilities).default_language == default
