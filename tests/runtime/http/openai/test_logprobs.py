"""Each token of text has its bytes and its log-probability; special tokens are left out."""

from __future__ import annotations

from dataclasses import replace

from whisper.tokenizer import get_encoding

from tests.fakes.engine import SEGMENT
from whisper_runtime.http.openai.logprobs import token_logprobs


def test_timestamps_are_left_out() -> None:
    found = token_logprobs([SEGMENT], english_only=False)
    assert [(entry.token, entry.logprob) for entry in found] == [(" Ask", -0.5), (" not", -0.25), (".", -0.375)]


def test_english_only_models_have_the_vocabulary_of_gpt2() -> None:
    tokens = tuple(get_encoding("gpt2").encode(" ask not"))
    segment = replace(SEGMENT, tokens=tokens, token_logprobs=(-1.0,) * len(tokens))
    assert [entry.token for entry in token_logprobs([segment], english_only=True)] == [" ask", " not"]


def test_a_character_that_is_spread_over_tokens_keeps_its_bytes() -> None:
    tokens = tuple(get_encoding("multilingual").encode(" 🎙"))
    segment = replace(SEGMENT, tokens=tokens, token_logprobs=(-1.0,) * len(tokens))
    found = token_logprobs([segment], english_only=False)
    assert len(found) > 1
    assert bytes(byte for entry in found for byte in entry.bytes).decode() == " 🎙"
