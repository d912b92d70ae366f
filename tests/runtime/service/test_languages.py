"""A default language must be one that the model knows."""

from __future__ import annotations

import pytest

from whisper_runtime.service.languages import knows, wrong_default


def test_only_the_newest_models_know_the_last_language() -> None:
    assert (knows(99, "yue"), knows(100, "yue"), knows(1, "en"), knows(1, "de")) == (False, True, True, False)


@pytest.mark.parametrize(("language", "languages"), [("auto", 99), ("de", 99), ("yue", 100), ("en", 1)])
def test_a_language_of_the_model_may_be_its_default(language: str, languages: int) -> None:
    assert wrong_default(language, languages) is None


@pytest.mark.parametrize(
    ("language", "languages", "problem"),
    [
        (
            "de",
            1,
            "which this English-only model does not know: set auto or en, or take a multilingual model such as base",
        ),
        ("yue", 99, "which this model of 99 languages does not know: set auto, or take a model such as large-v3"),
    ],
)
def test_any_other_is_named_with_a_remedy(language: str, languages: int, problem: str) -> None:
    assert wrong_default(language, languages) == f"WHISPER_LANGUAGE is {language!r}, {problem}"
