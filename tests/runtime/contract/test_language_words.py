"""The table of words: complete, tidy, and of the languages that Whisper knows."""

from __future__ import annotations

import re
import unicodedata

import pytest

from whisper_runtime.contract.language_words import LANGUAGE_OF_COUNTRY, WORDS
from whisper_runtime.contract.languages import LANGUAGE_CODES, code_of


def test_every_language_has_words_in_the_order_of_the_codes() -> None:
    assert tuple(WORDS) == LANGUAGE_CODES


@pytest.mark.parametrize(("code", "words"), WORDS.items())
def test_words_are_in_small_letters_composed_and_named_once(code: str, words: str) -> None:
    listed = words.split(", ")
    assert words == unicodedata.normalize("NFC", words.casefold())
    assert all(re.fullmatch(r"[\w\u0300-\u1fff' -]+", word) for word in listed)
    assert len({code, *listed}) == len(listed) + 1


@pytest.mark.parametrize(("code", "words"), WORDS.items())
def test_every_language_has_a_code_of_three_letters_and_a_name(code: str, words: str) -> None:
    listed = [code, *words.split(", ")]
    assert any(re.fullmatch("[a-z]{3}", word) for word in listed)
    assert any(len(word) > 3 for word in listed)


def test_a_country_stands_for_a_language_only_where_its_code_is_no_word_for_one() -> None:
    assert [country for country in LANGUAGE_OF_COUNTRY if code_of(country)] == []
    assert set(LANGUAGE_OF_COUNTRY.values()) <= set(LANGUAGE_CODES)
