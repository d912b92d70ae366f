"""What keeps a process from starting, told in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from whisper_runtime import start
from whisper_runtime.contract import RuntimeConfig
from whisper_runtime.engine.model import CannotLoad
from whisper_runtime.languages import wrong_default
from whisper_runtime.metrics import Metrics


def test_a_language_of_nobody_is_told_before_anything_is_fetched() -> None:
    assert start.run(RuntimeConfig(language="xx")) == (
        "WHISPER_LANGUAGE is 'xx', which Whisper does not know: set an ISO-639-1 code such as en, or auto"
    )


def test_a_language_that_the_model_lacks_is_told_once_it_is_loaded(weights: dict[str, Path]) -> None:
    config = RuntimeConfig(language="yue", device="cpu")
    with pytest.raises(CannotLoad) as error:
        start._load(config, weights["base"], Metrics())  # pyright: ignore[reportPrivateUsage]
    assert str(error.value) == (
        "WHISPER_LANGUAGE is 'yue', which this model of 99 languages does not know: "
        "set auto, or a model of 100, as large-v3"
    )


@pytest.mark.parametrize(("language", "languages"), [("auto", 99), ("de", 99), ("German", 99), ("yue", 100)])
def test_what_the_model_knows_is_its_language(language: str, languages: int) -> None:
    assert wrong_default(language, languages) is None
