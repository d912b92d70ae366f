"""A service's model answers to the names of its service, to OpenAI's, and to those of the checkpoint that it is."""

from __future__ import annotations

import pytest

from whisper_runtime.contract.models import OFFICIAL_MODELS
from whisper_runtime.service.model_names import OPENAI_NAMES, aliases, without_date


def of_checkpoint(official: str) -> set[str]:
    return {*aliases("served", (), OFFICIAL_MODELS[official])} - {*OPENAI_NAMES}


@pytest.mark.parametrize(
    ("official", "names"),
    [
        ("base", {"base", "whisper-base", "openai/whisper-base", "Systran/faster-whisper-base"}),
        ("tiny.en", {"tiny.en", "whisper-tiny.en", "openai/whisper-tiny.en", "Systran/faster-whisper-tiny.en"}),
        ("large-v1", {"large-v1", "whisper-large-v1", "openai/whisper-large", "Systran/faster-whisper-large-v1"}),
        (
            "large-v3",
            {
                *("large-v3", "large", "whisper-large-v3", "openai/whisper-large-v3"),
                "Systran/faster-whisper-large-v3",
            },
        ),
        (
            "turbo",
            {
                *("large-v3-turbo", "turbo", "whisper-large-v3-turbo", "openai/whisper-large-v3-turbo"),
                *("Systran/faster-whisper-large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
                "deepdml/faster-whisper-large-v3-turbo-ct2",
            },
        ),
    ],
)
def test_a_published_checkpoint_has_its_public_names_whatever_the_service_calls_it(
    official: str, names: set[str]
) -> None:
    assert of_checkpoint(official) == names


@pytest.mark.parametrize("digest", [None, "a" * 64])
def test_a_file_of_ones_own_has_openais_names_and_no_checkpoints(digest: str | None) -> None:
    assert aliases("large-v3", (), digest) == OPENAI_NAMES


def test_the_names_of_the_service_come_first_and_each_name_once() -> None:
    own = ("support-calls", "gpt-4o-transcribe", "mine")
    assert aliases("mine", own, None) == (
        *("support-calls", "gpt-4o-transcribe", "whisper-1", "gpt-4o-mini-transcribe", "gpt-transcribe"),
    )


@pytest.mark.parametrize(
    ("name", "undated"),
    [
        ("gpt-4o-mini-transcribe-2025-12-15", "gpt-4o-mini-transcribe"),
        ("gpt-4o-transcribe-diarize-2025-10-15", "gpt-4o-transcribe-diarize"),
        ("gpt-4o-transcribe", "gpt-4o-transcribe"),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-08-06"),
        ("gpt-4o-transcribe-latest", "gpt-4o-transcribe-latest"),
        ("base-2025-12-15", "base-2025-12-15"),
    ],
)
def test_a_snapshot_is_the_model_of_its_name(name: str, undated: str) -> None:
    assert without_date(name) == undated
