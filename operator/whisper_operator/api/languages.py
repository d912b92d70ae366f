"""The types of fields that hold a language: any word that the runtime reads, by the same table.

The API server has no table: it checks by a pattern that is made of it, and is as strict. Only what nobody types,
such as a name with one accent composed and the next one not, is refused by the pattern alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from whisper_operator.api.base import validated
from whisper_runtime.contract.languages import (
    APOSTROPHES,
    BLANKS,
    IN_PARENTHESES,
    LANGUAGE_CODES,
    LONGEST_WORD,
    REMEDY,
    REMEDY_OR_AUTO,
    SEPARATOR,
    SUBTAGS,
    code_of,
    is_auto,
    keys_of,
    shown,
    unknown,
)

_BLANKS: Final = f"[{BLANKS}]*"
_ESCAPED: Final = str.maketrans({" ": r"\\x20", "\\": r"\\", "'": r"\\x27", "\t": r"\\t", "\r": r"\\r", "\n": r"\\n"})


def cel_matches(field: str, codes: Iterable[str], *, or_auto: bool) -> str:
    """The rule in CEL that `field` is a word for one of the languages `codes`, or `auto` where that is allowed."""
    return f"{field}.matches('{_pattern(codes, or_auto).translate(_ESCAPED)}')"


def _pattern(codes: Iterable[str], or_auto: bool) -> str:
    keys = sorted(key for code in codes for key in keys_of(code))
    tags = "|".join(key.replace("-", "[-_]") for key in keys if re.fullmatch("[a-z]{2,3}(-[a-z]{3})?", key))
    names = "|".join(form for key in keys if not re.fullmatch("[a-z]{2,3}", key) for form in _forms(key))
    word = f"(({tags}){SUBTAGS}|{names})({_BLANKS}{IN_PARENTHESES})?"
    return f"(?i)^{_BLANKS}({'auto|' if or_auto else ''}{word}){_BLANKS}$"


def _forms(key: str) -> list[str]:
    """The patterns of a name: its letters composed, and decomposed as macOS writes them."""
    forms = {unicodedata.normalize(form, key) for form in ("NFC", "NFD")}
    return [form.replace("-", f"{SEPARATOR}+").replace("'", f"[{APOSTROPHES}]") for form in sorted(forms)]


def _language(*, or_auto: bool) -> tuple[Any, AfterValidator]:
    remedy = REMEDY_OR_AUTO if or_auto else REMEDY

    def check(word: str) -> str:
        if code_of(word) is None and not (or_auto and is_auto(word)):
            raise ValueError(f"{shown(word)} {unknown(word, remedy)}")
        return word

    cel = cel_matches("self", LANGUAGE_CODES, or_auto=or_auto)
    problem = f"is not a language of Whisper; {remedy}"
    return Field(max_length=LONGEST_WORD, json_schema_extra=validated(cel, problem)), AfterValidator(check)


LanguageWord = Annotated[str, *_language(or_auto=False)]
LanguageOrAuto = Annotated[str, *_language(or_auto=True)]
