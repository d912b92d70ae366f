"""Whisper's languages, and which of them a model knows; pure.

Models know them in the order of openai-whisper's table: `large-v3` and `turbo` all 100, others the first 99.
"""

from __future__ import annotations

from typing import Final

from whisper.tokenizer import LANGUAGES, TO_LANGUAGE_CODE

from whisper_runtime.contract.config import env_name
from whisper_runtime.contract.languages import LANGUAGE_CODES

ALL: Final = len(LANGUAGE_CODES)


def code_of(language: str) -> str | None:
    """The ISO-639-1 code of a code or an English name; None: Whisper does not know the language."""
    lowered = language.lower()
    return lowered if lowered in LANGUAGES else TO_LANGUAGE_CODE.get(lowered)


def knows(languages: int, code: str) -> bool:
    """Whether a model of the first `languages` languages knows this one."""
    return code in LANGUAGE_CODES[:languages]


def wrong_default(language: str, languages: int = ALL) -> str | None:
    """Why `language` cannot be the default of a model of the first `languages` languages; None: it can."""
    code = code_of(language)
    if language == "auto" or (code and knows(languages, code)):
        return None
    if code is None:
        fault, remedy = "Whisper does not know", "an ISO-639-1 code such as en, or auto"
    elif languages == 1:
        fault, remedy = "this English-only model does not know", "auto or en, or take a multilingual model such as base"
    else:
        fault, remedy = f"this model of {languages} languages does not know", "auto, or take a model such as large-v3"
    return f"{env_name('language')} is {language!r}, which {fault}: set {remedy}"
