"""A tokenizer of Hugging Face is Whisper's own: the engine writes its text by openai-whisper's tokens."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import chain
from typing import Any, Final, cast

from whisper.tokenizer import get_tokenizer

from whisper_runtime.engine.model.file_folder import NotLoadable

SAME: Final = {"<|nocaptions|>": "<|nospeech|>"}
"""An earlier name of a special token, which transformers kept for its first Whispers, and openai-whisper's."""


def check_vocabulary(tokenizers: Mapping[str, Any], size: int) -> None:
    """Raises NotLoadable where a token is another than Whisper's of the same id; `size` is the model's vocabulary.

    `tokenizers`: content by name of tokenizer.json, vocab.json and added_tokens.json, as far as they are there.
    """
    text, special = _own_tokens(size)
    for name, content in tokenizers.items():
        for token, number in _tokens(name, content):
            if type(number) is not int or number >= size:
                continue  # no output of the model
            wanted = special.get(number) or text.get(number)
            if SAME.get(token, token) != wanted:
                raise NotLoadable(
                    f"{name}: token {number} is {token!r}, and Whisper's is {wanted!r}: only fine-tunes with Whisper's "
                    "own tokens are served"
                )


def _tokens(name: str, content: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Each token with its id. Raises NotLoadable."""
    try:
        if name != "tokenizer.json":
            return list(content.items())
        added = [(str(one["content"]), one["id"]) for one in content["added_tokens"]]
        vocabulary = cast(Mapping[str, Any], content["model"]["vocab"])
        return list(chain(vocabulary.items(), added))
    except (KeyError, TypeError, AttributeError):
        raise NotLoadable(f"{name} has no `model.vocab` and `added_tokens`: save the tokenizer anew") from None


@cache
def _own_tokens(size: int) -> tuple[dict[int, str], dict[int, str]]:
    """Whisper's tokens by id, as GPT-2's files write their bytes, and the special ones."""
    tokenizer = get_tokenizer(size >= 51865, num_languages=size - 51765 - int(size >= 51865))
    letters = _letters()
    special = {number: name for name, number in tokenizer.special_tokens.items()}
    text = {
        number: "".join(letters[byte] for byte in tokenizer.encoding.decode_single_token_bytes(number))
        for number in range(min(special))
    }
    return text, special


def _letters() -> dict[int, str]:
    """The letter that stands for each byte (openai/gpt-2, src/encoder.py, bytes_to_unicode)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + at) for at, byte in enumerate(others)}
