"""The API server's pattern for a language accepts what the runtime's table knows, and nothing else."""

from __future__ import annotations

import re
import unicodedata

import pytest

from tests.operator.api.specs import kept, problem
from whisper_operator.api.languages import LanguageOrAuto, LanguageWord, cel_matches
from whisper_runtime.contract.language_words import WORDS
from whisper_runtime.contract.languages import LANGUAGE_CODES, LONGEST_WORD, code_of


def pattern(codes: tuple[str, ...], *, or_auto: bool = False) -> re.Pattern[str]:
    """The pattern in the rule, as CEL unescapes it."""
    found = re.fullmatch(r"self\.matches\('([^']+)'\)", cel_matches("self", codes, or_auto=or_auto))
    assert found
    return re.compile(found[1].replace("\\\\", "\\"))


ANY = pattern(LANGUAGE_CODES)


@pytest.mark.parametrize("code", LANGUAGE_CODES)
def test_the_pattern_accepts_every_word_of_the_table(code: str) -> None:
    words = [code, *WORDS[code].split(", ")]
    forms = [*words, *map(str.upper, words), *(unicodedata.normalize("NFD", word) for word in words)]
    forms += [f" {word}\n" for word in words] + [f"{word} (Atlantis)" for word in words]
    assert [word for word in forms if not ANY.fullmatch(word)] == []
    assert {code_of(word) for word in forms} == {code}


TAGS = ["", "-US", "_Latn_RS", "-419", "-1996", "-x-mine", ".UTF-8", "@euro", "-", "--US", " US", "-a", "x"]


@pytest.mark.parametrize("primary", ["en", "eng", "yue", "zh-yue", "zh", "no-nyn", "xx", "english", "日本語"])
@pytest.mark.parametrize("rest", TAGS)
def test_the_pattern_and_the_table_agree_about_tags(primary: str, rest: str) -> None:
    assert bool(ANY.fullmatch(primary + rest)) == (code_of(primary + rest) is not None)


@pytest.mark.parametrize("code", ["en", "yue"])
def test_a_pattern_of_one_language_accepts_its_words_alone(code: str) -> None:
    own = pattern((code,))
    words = [word for words in WORDS.values() for word in words.split(", ")] + ["en-GB", "zh-yue-HK", "zh-HK", "yue-HK"]
    assert [word for word in words if own.fullmatch(word)] == [word for word in words if code_of(word) == code]


@pytest.mark.parametrize("word", ["auto", " Auto "])
def test_auto_is_a_word_only_where_a_language_may_be_detected(word: str) -> None:
    assert kept(LanguageOrAuto, word) == word
    assert pattern(LANGUAGE_CODES, or_auto=True).fullmatch(word)
    assert not ANY.fullmatch(word)
    assert "is not a language of Whisper" in problem(LanguageWord, word)


@pytest.mark.parametrize("word", ["en", "pt-BR", "Deutsch", "français", " ja "])
def test_a_word_stays_as_the_user_wrote_it(word: str) -> None:
    assert (kept(LanguageWord, word), kept(LanguageOrAuto, word)) == (word, word)


def test_an_unknown_word_is_refused_with_the_nearest_spelling() -> None:
    assert problem(LanguageWord, "englsh") == (
        "'englsh' is not a language of Whisper; did you mean english? If not, write a code such as en or pt-BR, "
        "or a name such as German"
    )
    assert problem(LanguageOrAuto, "xx") == (
        "'xx' is not a language of Whisper; write a code such as en or pt-BR, a name such as German, or auto"
    )


def test_a_word_has_a_longest_length() -> None:
    assert f"at most {LONGEST_WORD} characters" in problem(LanguageOrAuto, "e" * (LONGEST_WORD + 1))
