"""The vocabularies and languages of openai-whisper, for answers and for checks of what was sent; pure.

whisper imports torch, which takes seconds. A server's engine has imported both by its first request; a process that
serves without a model never needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding


def text_encoding(*, english_only: bool) -> Encoding:
    """The vocabulary of the model's text.

    English-only checkpoints have GPT-2's vocabulary, all others one of their own (whisper/tokenizer.py, get_tokenizer).
    """
    from whisper.tokenizer import get_encoding

    return get_encoding("gpt2" if english_only else "multilingual")


def language_name(code: str) -> str:
    """The English name of the language, in small letters, as OpenAI's answers have it; raises KeyError."""
    from whisper.tokenizer import LANGUAGES

    return LANGUAGES[code]
