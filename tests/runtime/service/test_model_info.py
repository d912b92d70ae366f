"""The served model: its name, its digest, its default language, and what becomes known during the start."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.engine import ENGLISH, MULTILINGUAL, TURBO
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import OFFICIAL_MODELS
from whisper_runtime.engine.interface import NO_MODEL, Abilities
from whisper_runtime.errors import HttpError
from whisper_runtime.service.model_info import ServedModel, check_name, promised_digest

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
    assert ServedModel(RuntimeConfig(model=model)).info.name == name


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
        (MULTILINGUAL, "nb-NO", "no"),
        (TURBO, "auto", None),
        (ENGLISH, "auto", "en"),
    ],
)
def test_the_language_of_requests_that_name_none(abilities: Abilities, language: str, default: str | None) -> None:
    config = RuntimeConfig(model="/models/mine.pt", language=language)
    assert ServedModel(config, abilities).info.default_language == default


def test_the_start_notes_what_it_finds_out() -> None:
    model = ServedModel(RuntimeConfig(model="/models/mine.pt"))
    first = model.info
    assert (first.digest, first.abilities) == (None, NO_MODEL)
    model.has_digest(DIGEST)
    assert (model.info.digest, model.info.abilities) == (DIGEST, NO_MODEL)
    model.has_loaded(ENGLISH, "float16")
    assert (model.info.digest, model.info.english_only, model.info.created) == (DIGEST, True, first.created)
    assert (first.precision, model.info.precision) == ("", "float16")
    assert first.digest is None  # a request that runs keeps what it has read


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"model": "/models/mine.pt"}, "mine"),
        ({"model": "/models/mine.pt"}, "whisper-1"),
        ({"model": "/models/mine.pt"}, "gpt-4o-transcribe"),
        ({"model": "/models/mine.pt"}, "gpt-4o-mini-transcribe-2025-12-15"),
        ({"model": "/models/mine.pt", "model_aliases": ("openai/whisper-large-v3",)}, "openai/whisper-large-v3"),
        ({"model": "base"}, "openai/whisper-base"),
        ({"model": "mine", "model_sha256": OFFICIAL_MODELS["base"]}, "Systran/faster-whisper-base"),
    ],
)
def test_a_model_answers_to_its_names(config: dict[str, Any], name: str) -> None:
    check_name(ServedModel(RuntimeConfig(**config)).info, name)


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"model": "base"}, "gpt-4o"),
        ({"model": "base"}, "openai/whisper-large-v3"),
        ({"model": "base"}, "whisper-large-v3-turbo"),
        ({"model": "base"}, "distil-whisper-large-v3-en"),
        ({"model": "base"}, "OpenAI/Whisper-Base"),
        ({"model": "base", "model_sha256": DIGEST}, "openai/whisper-base"),  # another file of that name
        ({"model": "/models/base.pt"}, "openai/whisper-base"),
    ],
)
def test_another_name_is_404(config: dict[str, Any], name: str) -> None:
    with pytest.raises(HttpError) as error:
        check_name(ServedModel(RuntimeConfig(**config)).info, name)
    assert (error.value.status_code, error.value.body["param"]) == (404, "model")
    assert f"The model `{name}` does not exist here: this server has `base`, also as `whisper-1`" in str(error.value)


@pytest.mark.parametrize("name", ["gpt-4o-transcribe-diarize", "gpt-4o-transcribe-diarize-2025-10-15"])
def test_speakers_are_not_promised(name: str) -> None:
    with pytest.raises(HttpError, match=r"set spec\.diarization to \{\} .*, or use `base`"):
        check_name(ServedModel(RuntimeConfig(model="base")).info, name)
