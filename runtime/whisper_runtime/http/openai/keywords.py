"""Words that the recording may have, which stand before the prompt of each window; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from whisper_runtime.errors import invalid_value
from whisper_runtime.http.openai.vocabulary import text_encoding

MOST: Final = 100
LONGEST: Final = 200
"""Characters of one keyword."""
MOST_TOKENS: Final = 223
"""Half of the decoder's context but for <|startofprev|>, as openai-whisper keeps it free for a prompt."""
NOT_TEXT: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def keyword_text(keywords: Sequence[str], hotwords: str | None, *, english_only: bool) -> str | None:
    """The text of `keywords`, and of `hotwords`, which are the same as one text; None: there are none.

    White space and control characters become one space, what comes twice stands once. Raises HttpError (400) where
    there are too many, or one is too long.
    """
    words = [word for one in keywords for part in one.split(",") if (word := _clean(part))]
    if len(words) > MOST:
        raise invalid_value("keywords", f"`keywords` has {len(words)} of them: send at most {MOST}.")
    if longest := next((word for word in words if len(word) > LONGEST), None):
        message = f"`keywords` has one of {len(longest)} characters: send at most {LONGEST} in each."
        raise invalid_value("keywords", message)
    text = ", ".join(dict.fromkeys([*words, *filter(None, [_clean(hotwords or "")])]))
    if (tokens := _tokens(text, english_only)) > MOST_TOKENS:
        field = "keywords" if words else "hotwords"
        message = (
            f"`{field}` takes {tokens} tokens, and the model reads at most {MOST_TOKENS} before a text: send fewer."
        )
        raise invalid_value(field, message)
    return text or None


def _clean(text: str) -> str:
    return NOT_TEXT.sub(" ", unicodedata.normalize("NFC", text)).strip(" ,")


def _tokens(text: str, english_only: bool) -> int:
    """How many tokens the text has, in the vocabulary of the model."""
    return len(text_encoding(english_only=english_only).encode(f" {text}", disallowed_special=())) if text else 0
