"""Whisper's languages, and which of them a model knows; pure.

Models know them in the order of openai-whisper's table: `large-v3` and `turbo` all 100, others the first 99.
"""

from __future__ import annotations

from typing import Final

from whisper_runtime.contract.config import env_name
from whisper_runtime.contract.languages import LANGUAGE_CODES

ALL: Final = len(LANGUAGE_CODES)


def knows(languages: int, code: str) -> bool:
    """Whether a model of the first `languages` languages knows this one."""
    return code in LANGUAGE_CODES[:languages]


def wrong_default(language: str, languages: int = ALL) -> str | None:
    """Why `language`, a code or `auto`, cannot be the default of a model of the first `languages`; None: it can."""
    if language == "auto" or knows(languages, language):
        return None
    if languages == 1:
        fault, remedy = "this English-only model does not know", "auto or en, or take a multilingual model such as base"
    else:
        fault, remedy = f"this model of {languages} languages does not know", "auto, or take a model such as large-v3"
    return f"{env_name('language')} is {language!r}, which {fault}: set {remedy}"
