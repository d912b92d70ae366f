"""A tokenizer whose tokens are Whisper's passes, by its size; one added token of another meaning does not."""

from __future__ import annotations

from typing import Any

import pytest
from whisper.tokenizer import get_tokenizer

from whisper_runtime.engine.model.file_folder import NotLoadable
from whisper_runtime.engine.model.vocabulary_check import check_vocabulary

SIZES = {51864: (False, 99), 51865: (True, 99), 51866: (True, 100)}


def special(size: int) -> dict[str, int]:
    multilingual, languages = SIZES[size]
    return dict(get_tokenizer(multilingual, num_languages=languages).special_tokens)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["added_tokens.json", "tokenizer.json"])
def test_whispers_own_tokens_pass(size: int, name: str) -> None:
    added = special(size)
    words = {"!": 0, "Ġthe": 262 if size == 51864 else 264}
    if name == "tokenizer.json":
        tokens = [{"id": number, "content": token} for token, number in added.items()]
        check_vocabulary({name: {"model": {"vocab": words}, "added_tokens": tokens}}, size)
    else:
        check_vocabulary({name: added, "vocab.json": words}, size)


def test_a_name_of_transformers_and_a_token_beyond_the_model_pass() -> None:
    check_vocabulary({"added_tokens.json": {"<|nocaptions|>": 50362, "<|mine|>": 60000}}, 51865)


@pytest.mark.parametrize(
    ("tokenizers", "says"),
    [
        ({"added_tokens.json": {"<|mine|>": 50358}}, "token 50358 is '<|mine|>', and Whisper's is '<|translate|>'"),
        ({"vocab.json": {"hello": 0}}, "vocab.json: token 0 is 'hello', and Whisper's is '!'"),
        ({"tokenizer.json": {"model": {"vocab": {"hello": 0}}, "added_tokens": []}}, "tokenizer.json: token 0 is"),
        ({"tokenizer.json": {"model": {"vocab": {}}, "added_tokens": [{"id": 50257, "content": "</s>"}]}}, "is '</s>'"),
        ({"tokenizer.json": {"model": []}}, "tokenizer.json has no `model.vocab` and `added_tokens`"),
    ],
)  # fmt: skip
def test_another_token_is_named(tokenizers: dict[str, Any], says: str) -> None:
    with pytest.raises(NotLoadable) as raised:
        check_vocabulary(tokenizers, 51865)
    assert says in str(raised.value)
