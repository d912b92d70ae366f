"""The languages that the operator accepts are those that the runtime knows."""

from __future__ import annotations

from whisper.tokenizer import LANGUAGES

from whisper_runtime.contract.languages import ADDED_BY_LARGE_V3, LANGUAGE_CODES, MODELS_OF_ALL
from whisper_runtime.contract.models import OFFICIAL_MODELS


def test_the_codes_are_openais_in_its_order() -> None:
    assert tuple(LANGUAGES) == LANGUAGE_CODES


def test_the_newest_models_know_one_language_more() -> None:
    assert LANGUAGE_CODES[-1] == ADDED_BY_LARGE_V3
    assert OFFICIAL_MODELS.keys() >= set(MODELS_OF_ALL)
