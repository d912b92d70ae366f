"""The rules of sampling where a checkpoint's files say none are openai-whisper's."""

from __future__ import annotations

from whisper.decoding import DecodingOptions

from whisper_runtime.engine.generation import OPENAI_RULES


def test_the_first_timestamp_is_as_late_as_openai_whispers_may_be() -> None:
    assert OPENAI_RULES.max_initial_timestamp is not None
    assert OPENAI_RULES.max_initial_timestamp * 0.02 == DecodingOptions().max_initial_timestamp


def test_which_tokens_never_come_is_left_to_the_tokenizer() -> None:
    assert (OPENAI_RULES.suppressed, OPENAI_RULES.blank) == (None, None)
