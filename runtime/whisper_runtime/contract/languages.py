"""The languages of Whisper's models, by the codes of openai-whisper's table, and how people write them; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from whisper_runtime.contract.language_words import LANGUAGE_OF_COUNTRY, WORDS

LANGUAGE_CODES: Final = (
    "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv", "it",
    "id", "hi", "fi", "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no", "th", "ur",
    "hr", "bg", "lt", "la", "mi", "ml", "cy", "sk", "te", "fa", "lv", "bn", "sr", "az", "sl", "kn",
    "et", "mk", "br", "eu", "is", "hy", "ne", "mn", "bs", "kk", "sq", "sw", "gl", "mr", "pa", "si",
    "km", "sn", "yo", "so", "af", "oc", "ka", "be", "tg", "sd", "gu", "am", "yi", "lo", "uz", "fo",
    "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl", "mg", "as", "tt", "haw", "ln", "ha",
    "ba", "jw", "su", "yue",
)  # fmt: skip
"""In the table's order, of which a model knows the first 99 or all (`whisper.tokenizer.LANGUAGES`)."""
ADDED_BY_LARGE_V3: Final = "yue"
"""The last one, which models before large-v3 do not know."""
MODELS_OF_ALL: Final = ("large-v3", "large", "large-v3-turbo", "turbo")
"""openai-whisper's models that know all of them."""

LONGEST_WORD: Final = 64
"""Characters of the longest word for a language that is read."""
BLANKS: Final = " \t\r\n\u00a0\u3000"
SEPARATOR: Final = "[ _-]"
APOSTROPHES: Final = "'`\u2018\u2019\u02bb\u02bc"
IN_PARENTHESES: Final = "[(\uff08]([^()\uff08\uff09]*)[)\uff09]"
"""What may follow a word: a country, as in "Español (México)"; the second pair is that of Chinese texts."""
SUBTAGS: Final = (
    "([-_][a-z]{3}){0,3}([-_][a-z]{4})?([-_]([a-z]{2}|[0-9]{3}))?([-_]([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    "([-_][a-wyz0-9]([-_][a-z0-9]{2,8})+)*([-_]x([-_][a-z0-9]{1,8})+)?"
    "([.][-a-z0-9]+)?(@[a-z0-9]+)?"
)
"""What may follow a code: the rest of a language tag (RFC 5646, 2.1), and a POSIX locale's charset and modifier."""
REMEDY: Final = "write a code such as en or pt-BR, or a name such as German"
REMEDY_OR_AUTO: Final = "write a code such as en or pt-BR, a name such as German, or auto"

_SHOWN: Final = 40
_NAME_AND_ASIDE: Final = re.compile(f"([^(\uff08]*?)(?:[{BLANKS}]*{IN_PARENTHESES})?")
_COMMA: Final = re.compile("[,;\uff0c\u3001]")
_TAG: Final = re.compile(f"([a-z]{{2,3}}){SUBTAGS}")


def is_auto(word: str) -> bool:
    """Whether `word` asks for the language to be detected."""
    return _folded(word) == "auto"


@lru_cache(maxsize=256)
def code_of(word: str) -> str | None:
    """Whisper's code of a language that is written as a code, a language tag or a name; None: it is none of Whisper's.

    Of a tag, the longest part that is known counts (RFC 4647, 3.4): zh-yue-HK is Cantonese, zh-HK Chinese.
    """
    if len(word) > LONGEST_WORD or not (found := _NAME_AND_ASIDE.fullmatch(_folded(word))):
        return None
    name, aside = found[1], found[2] or ""
    keys = list(_truncations(name)) if _TAG.fullmatch(name) else [_key(name)]
    narrowed = f"{keys[0]}-{_key(_COMMA.split(aside)[0])}"
    return next((_CODES[key] for key in (narrowed, *keys) if key in _CODES), None)


@lru_cache(maxsize=256)
def nearest(word: str) -> str | None:
    """The known spelling that is most like `word`, which is unknown; None: none is."""
    folded = _folded(word[:LONGEST_WORD])
    if tag := _TAG.fullmatch(folded):
        folded = tag[1]
        if language := LANGUAGE_OF_COUNTRY.get(folded):
            return language
    # By chance, many codes share two letters of three with another word.
    among, cutoff = (_SPELLINGS, 0.8) if tag else ([key for key in _SPELLINGS if not _TAG.fullmatch(key)], 0.6)
    found = get_close_matches(_key(folded), among, n=1, cutoff=cutoff)
    return _SPELLINGS[found[0]] if found else None


def unknown(word: str, remedy: str) -> str:
    """What follows `word` in the message that refuses it: the fault, the nearest spelling, and the remedy."""
    spelling = nearest(word)
    return f"is not a language of Whisper; {f'did you mean {spelling}? If not, ' if spelling else ''}{remedy}"


def shown(word: str) -> str:
    """`word` as a message repeats it: quoted, and cut."""
    return repr(word if len(word) <= _SHOWN else f"{word[:_SHOWN]}…")


def keys_of(code: str) -> frozenset[str]:
    """The keys of all words for a language: small letters, hyphens between their parts, with accents and without."""
    words = [code, *WORDS.get(code, "").split(", ")]
    return frozenset(key for word in words if word for key in (_key(word), _plain(_key(word))))


def _folded(word: str) -> str:
    """`word` in small letters, composed, without blanks around it."""
    composed = unicodedata.normalize("NFC", word.strip(BLANKS))
    return unicodedata.normalize("NFC", composed.casefold())


def _key(word: str) -> str:
    return re.sub(f"{SEPARATOR}+", "-", re.sub(f"[{APOSTROPHES}]", "'", _folded(word)))


def _plain(key: str) -> str:
    """`key` as who has not the letters writes it: without the accents of Latin, Greek and Cyrillic letters."""
    bare = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", key))
    return unicodedata.normalize("NFC", bare.replace("'", ""))


def _truncations(tag: str) -> Iterator[str]:
    parts = re.split("[-_.@]", tag)
    for count in range(len(parts), 0, -1):
        yield "-".join(parts[:count])


_CODES: Final = {key: code for code in LANGUAGE_CODES for key in keys_of(code)}
_SPELLINGS: Final = _CODES | {
    key: word
    for code in LANGUAGE_CODES
    for word in (code, *WORDS.get(code, "").split(", "))
    for key in (_plain(_key(word)), _key(word))
}
