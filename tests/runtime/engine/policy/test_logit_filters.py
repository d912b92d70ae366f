"""Rows filtered together come out as openai-whisper's filters leave each of them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper.decoding import ApplyTimestampRules, SuppressBlank, SuppressTokens
from whisper.tokenizer import get_tokenizer

from whisper_runtime.engine.policy.logit_filters import Filters, bounds, vocabulary

TOKENIZER = get_tokenizer(True, num_languages=99, language="en", task="transcribe")
SIZE = 51865
WORDS = vocabulary(TOKENIZER, SIZE)
FILTERS = Filters(WORDS, torch.device("cpu"))
TIME, TEXT = TOKENIZER.timestamp_begin, 500

token = st.one_of(st.integers(TIME, SIZE - 1), st.integers(TEXT, TEXT + 50))
rows = st.lists(st.tuples(st.lists(token, max_size=6), st.booleans()), min_size=1, max_size=4)


def upstream(logits: torch.Tensor, said: list[int], timed: bool) -> torch.Tensor:
    filtered, tokens = logits.clone()[None], torch.tensor([said], dtype=torch.long)
    for rule in (
        SuppressBlank(TOKENIZER, 0),
        SuppressTokens(WORDS.suppressed),
        *([ApplyTimestampRules(TOKENIZER, 0, 50)] if timed else []),
    ):
        rule.apply(filtered, tokens)
    return filtered[0]


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(0, 1000))
def test_rows_together_equal_upstream_one_by_one(said: list[tuple[list[int], bool]], seed: int) -> None:
    logits = torch.randn(len(said), SIZE, generator=torch.Generator().manual_seed(seed)) * 4
    wanted = torch.stack([upstream(row, tokens, timed) for row, (tokens, timed) in zip(logits, said, strict=True)])
    FILTERS(logits, [bounds(tokens, timed, WORDS) for tokens, timed in said])
    assert torch.equal(logits.isinf(), wanted.isinf())
    assert torch.equal(logits[~logits.isinf()], wanted[~wanted.isinf()])


@pytest.mark.parametrize(
    ("said", "is_time"), [([], True), ([TIME], False), ([TIME, TEXT, TIME + 5], True), ([TIME, TEXT], False)]
)
def test_what_may_come_next(said: list[int], is_time: bool) -> None:
    """Given logits that have no preference but for text."""
    logits = torch.zeros(1, SIZE)
    logits[0, TEXT + 1] = 20
    FILTERS(logits, [bounds(said, True, WORDS)])
    assert (int(logits.argmax()) >= TIME) == is_time
