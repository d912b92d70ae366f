"""Every word that people write for a language is read; what is unknown is told with the nearest spelling."""

from __future__ import annotations

import unicodedata

import pytest
from whisper.tokenizer import LANGUAGES, TO_LANGUAGE_CODE

from whisper_runtime.contract.languages import (
    ADDED_BY_LARGE_V3,
    LANGUAGE_CODES,
    LONGEST_WORD,
    MODELS_OF_ALL,
    REMEDY,
    code_of,
    is_auto,
    keys_of,
    nearest,
    shown,
    unknown,
)
from whisper_runtime.contract.models import OFFICIAL_MODELS


def test_the_codes_are_openais_in_its_order() -> None:
    assert tuple(LANGUAGES) == LANGUAGE_CODES


def test_the_newest_models_know_one_language_more() -> None:
    assert LANGUAGE_CODES[-1] == ADDED_BY_LARGE_V3
    assert OFFICIAL_MODELS.keys() >= set(MODELS_OF_ALL)


@pytest.mark.parametrize("code", LANGUAGE_CODES)
def test_a_code_is_read_as_itself(code: str) -> None:
    assert (code_of(code), code_of(code.upper())) == (code, code)


@pytest.mark.parametrize(("name", "code"), TO_LANGUAGE_CODE.items())
def test_what_openai_whisper_reads_is_read_alike(name: str, code: str) -> None:
    assert (code_of(name), code_of(name.title())) == (code, code)


@pytest.mark.parametrize(
    ("word", "code"),
    [
        # tags of BCP 47: browsers', phones', OpenAI's own examples
        ("en-US", "en"),
        ("de-DE", "de"),
        ("pt_BR", "pt"),
        ("PT-br", "pt"),
        ("es-419", "es"),
        ("zh-TW", "zh"),
        ("zh-HK", "zh"),
        ("zh-Hans-CN", "zh"),
        ("sr-Latn-RS", "sr"),
        ("de-CH-1996", "de"),
        ("ca-ES-valencia", "ca"),
        ("en-US-u-ca-gregory-x-mine", "en"),
        # tags that were registered whole, and have no such parts (RFC 5646, 2.2.8)
        ("en-GB-oed", "en"),
        ("i-lux", "lb"),
        # POSIX locales
        ("pt_BR.UTF-8", "pt"),
        ("sr_RS@latin", "sr"),
        # Cantonese is what the tag says it is; Chinese of Hong Kong is Chinese
        ("yue-HK", "yue"),
        ("zh-yue", "yue"),
        ("zh-yue-HK", "yue"),
        ("Chinese (Cantonese, Traditional)", "yue"),
        ("粤语", "yue"),
        ("廣東話", "yue"),
        ("cmn", "zh"),
        ("cmn-Hans-CN", "zh"),
        ("zh-cmn-Hans", "zh"),
        ("zh-min-nan", "zh"),
        # Norwegian has two written languages, and Whisper knows them as no and nn
        ("nb", "no"),
        ("nb-NO", "no"),
        ("nob", "no"),
        ("Bokmål", "no"),
        ("Norwegian (Bokmål)", "no"),
        ("nn-NO", "nn"),
        ("nno", "nn"),
        ("no-nyn", "nn"),
        ("Norwegian (Nynorsk)", "nn"),
        # codes that were withdrawn or replaced
        ("iw", "he"),
        ("iw-IL", "he"),
        ("in", "id"),
        ("ji", "yi"),
        ("jv", "jw"),
        ("jav", "jw"),
        ("mo", "ro"),
        ("sh", "sr"),
        ("scr", "hr"),
        ("fil", "tl"),
        ("fil-PH", "tl"),
        # ISO 639-2, both sets, and individual languages of 639-3
        ("eng", "en"),
        ("ger", "de"),
        ("deu", "de"),
        ("fre", "fr"),
        ("fra", "fr"),
        ("chi", "zh"),
        ("zho", "zh"),
        ("arb", "ar"),
        ("pes", "fa"),
        ("swh", "sw"),
        ("zsm", "ms"),
        # names, in English and in the language itself
        ("GERMAN", "de"),
        ("castilian", "es"),
        ("Flemish", "nl"),
        ("Farsi", "fa"),
        ("Brazilian Portuguese", "pt"),
        ("simplified_chinese", "zh"),
        ("Serbian (Latin)", "sr"),
        ("Deutsch", "de"),
        ("français", "fr"),
        ("FRANÇAIS", "fr"),
        ("francais", "fr"),
        ("Español (México)", "es"),
        ("Nederlands", "nl"),
        ("日本語", "ja"),
        ("русский", "ru"),
        ("РУССКИЙ", "ru"),
        ("ΕΛΛΗΝΙΚΑ", "el"),
        ("中文\uff08简体\uff09", "zh"),
        ("हिंदी", "hi"),
        ("O\u2018zbek", "uz"),
        ("o'zbek", "uz"),
        ("bahasa-indonesia", "id"),
        # blanks around it
        (" en ", "en"),
        ("Français\n", "fr"),
        ("\u3000日本語\u00a0", "ja"),
    ],
)
def test_a_word_is_read_as_the_language_that_it_means(word: str, code: str) -> None:
    assert code_of(word) == code
    assert code_of(unicodedata.normalize("NFD", word)) == code


@pytest.mark.parametrize(
    "word",
    [
        *(
            "",
            " ",
            "xx",
            "xx-DE",
            "englsh",
            "klingon",
            "en,de",
            "en-US,en;q=0.9",
            "en-",
            "english-us",
            "no way",
            "auto",
        ),
        *(
            "(German)",
            "German (",
            "und",
            "mul",
            "nan",
            "wuu",
            "gsw",
            "ga",
            "e" * (LONGEST_WORD + 1),
            "en" + " " * 10_000,
        ),
    ],
)
def test_any_other_is_unknown(word: str) -> None:
    assert code_of(word) is None


@pytest.mark.parametrize(("word", "auto"), [("auto", True), (" Auto\n", True), ("", False), ("automatic", False)])
def test_one_word_asks_for_the_language_to_be_detected(word: str, auto: bool) -> None:
    assert is_auto(word) == auto


@pytest.mark.parametrize(
    ("word", "spelling"),
    [
        ("englsh", "english"),
        ("Germam", "german"),
        ("Deutch", "deutsch"),
        ("Españo", "español"),
        ("рузский", "русский"),
        ("日本後", "日本語"),
        ("english-us", "english"),
        # countries' codes, which are no languages'
        ("jp", "ja"),
        ("JP-jp", "ja"),
        ("cn", "zh"),
        ("dk", "da"),
        # nothing is near
        ("xx", None),
        ("xyz", None),
        ("klingon", None),
        ("", None),
    ],
)
def test_the_nearest_spelling_is_suggested(word: str, spelling: str | None) -> None:
    assert nearest(word) == spelling


def test_an_unknown_word_is_told_with_the_nearest_spelling_and_what_to_write() -> None:
    assert unknown("xx", REMEDY) == (
        "is not a language of Whisper; write a code such as en or pt-BR, or a name such as German"
    )
    assert unknown("englsh", REMEDY) == (
        "is not a language of Whisper; did you mean english? If not, write a code such as en or pt-BR, "
        "or a name such as German"
    )


@pytest.mark.parametrize("word", ["x" * 10_000, "日本" * 5_000, "(" * 10_000, "en-" * 4_000])
def test_a_long_word_is_neither_read_nor_repeated(word: str) -> None:
    assert code_of(word) is None
    assert len(shown(word) + unknown(word, REMEDY)) < 200


def test_no_key_means_two_languages() -> None:
    keys = [key for code in LANGUAGE_CODES for key in keys_of(code)]
    assert len(keys) == len(set(keys))
