"""The word error rate counts edits by words."""

from __future__ import annotations

import pytest

from whisper_runtime.media.wer import word_error_rate


@pytest.mark.parametrize(
    ("found", "rate"),
    [("a b c d", 0.0), ("A, b. C d!", 0.0), ("a b c", 0.25), ("a x c d", 0.25), ("a b c d e", 0.25), ("", 1.0)],
)
def test_word_error_rate(found: str, rate: float) -> None:
    assert word_error_rate("a b c d", found) == rate


def test_a_text_without_words_has_a_rate_too() -> None:
    assert (word_error_rate("", ""), word_error_rate("", "a b")) == (0, 2)
