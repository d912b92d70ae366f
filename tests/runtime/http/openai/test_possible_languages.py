"""A recording may be in some languages alone: words become codes, or the message that says what is wrong."""

from __future__ import annotations

import pytest

from tests.fakes.engine import ENGLISH, MULTILINGUAL
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import Abilities
from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.options import decoding_options
from whisper_runtime.http.openai.possible_languages import within_languages
from whisper_runtime.service.model_info import ServedModel


def asked(
    values: list[str], named: str | None = None, *, abilities: Abilities = MULTILINGUAL, default: str = "auto"
) -> tuple[str | None, tuple[str, ...]]:
    model = ServedModel(RuntimeConfig(model="mine", model_sha256="0" * 64, language=default), abilities).info
    options = within_languages(decoding_options(model, language=named), values, named, model)
    return options.language, options.languages


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (["de", "en"], ("de", "en")),
        (["de,en", " fr "], ("de", "en", "fr")),
        (["German", "pt-BR", "nb", "日本語"], ("de", "pt", "no", "ja")),
        (["de", "German", "de-AT", "en", ""], ("de", "en")),
    ],
)
def test_words_become_the_codes_among_which_the_language_is_detected(values: list[str], codes: tuple[str, ...]) -> None:
    assert asked(values) == (None, codes)
    assert asked(values, default="fr") == (None, codes)
    assert asked(values, "auto", default="fr") == (None, codes)


@pytest.mark.parametrize("values", [[], [""], [" , "], ["auto"], ["de", "Auto"]])
def test_a_list_that_restricts_nothing_changes_nothing(values: list[str]) -> None:
    assert asked(values) == (None, ())
    assert asked(values, default="fr") == ("fr", ())
    assert asked(values, "it", default="fr") == ("it", ())


def test_one_language_is_the_language() -> None:
    assert asked(["de", "German"], default="fr") == ("de", ())
    assert asked(["en-GB"], abilities=ENGLISH) == ("en", ())


def test_a_named_language_must_be_one_of_them() -> None:
    assert asked(["de", "en"], "German") == ("de", ())
    with pytest.raises(HttpError) as error:
        asked(["de", "en"], "French")
    message = "`languages` is de, en, and `language` is 'French', which is none of them: send one of both."
    assert error.value.body["message"] == message
    assert (error.value.status_code, error.value.body["param"]) == (400, "languages")


@pytest.mark.parametrize(
    ("word", "abilities", "says"),
    [
        ("klingon", MULTILINGUAL, "`languages` is 'klingon', which is not a language of Whisper"),
        ("englsh", MULTILINGUAL, "did you mean english?"),
        ("yue", MULTILINGUAL, "of 99 languages does not know: leave `languages` out"),
        ("de", ENGLISH, "knows English only: leave `languages` out"),
    ],
)
def test_a_word_that_is_not_known_is_refused(word: str, abilities: Abilities, says: str) -> None:
    with pytest.raises(HttpError) as error:
        asked(["en", word], abilities=abilities)
    assert says in str(error.value)
    assert (error.value.status_code, error.value.body["param"]) == (400, "languages")
