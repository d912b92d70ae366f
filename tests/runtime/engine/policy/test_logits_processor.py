"""Rows that are masked together equal each row after openai-whisper's logit filters."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper.decoding import ApplyTimestampRules, SuppressBlank, SuppressTokens
from whisper.tokenizer import get_tokenizer

from whisper_runtime.engine.policy.logits_processor import LogitsProcessor, token_bounds, vocabulary

TOKENIZER = get_tokenizer(True, num_languages=99, language="en", task="transcribe")
SIZE = 51865
VOCABULARY = vocabulary(TOKENIZER, SIZE)
PROCESS = LogitsProcessor(VOCABULARY, torch.device("cpu"))
TIME, TEXT = TOKENIZER.timestamp_begin, 500

token = st.one_of(st.integers(TIME, SIZE - 1), st.integers(TEXT, TEXT + 50))
rows = st.lists(st.tuples(st.lists(token, max_size=6), st.booleans()), min_size=1, max_size=4)


def upstream(logits: torch.Tensor, sampled: list[int], timestamps: bool) -> torch.Tensor:
    filtered, tokens = logits.clone()[None], torch.tensor([sampled], dtype=torch.long)
    for rule in (
        SuppressBlank(TOKENIZER, 0),
        SuppressTokens(VOCABULARY.suppressed),
        *([ApplyTimestampRules(TOKENIZER, 0, 50)] if timestamps else []),
    ):
        rule.apply(filtered, tokens)
    return filtered[0]


@pytest.mark.parametrize(("multilingual", "languages"), [(True, 99), (True, 100), (False, 99)])
def test_what_is_suppressed_is_upstreams(multilingual: bool, languages: int) -> None:
    """decoding.py, _get_suppress_tokens, of the default `suppress_tokens="-1"`."""
    of = get_tokenizer(multilingual, num_languages=languages, language="en", task="transcribe")
    special = {of.transcribe, of.translate, of.sot, of.sot_prev, of.sot_lm, of.no_speech}
    found = vocabulary(of, SIZE)
    assert found.suppressed == tuple(sorted({*of.non_speech_tokens, *special}))
    assert found.blank == (*of.encode(" "), of.eot)


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(0, 1000))
def test_rows_together_equal_upstream_one_by_one(sampled: list[tuple[list[int], bool]], seed: int) -> None:
    logits = torch.randn(len(sampled), SIZE, generator=torch.Generator().manual_seed(seed)) * 4
    wanted = torch.stack(
        [upstream(row, tokens, timestamps) for row, (tokens, timestamps) in zip(logits, sampled, strict=True)]
    )
    PROCESS(logits, torch.tensor([token_bounds(tokens, timestamps, VOCABULARY) for tokens, timestamps in sampled]))
    assert torch.equal(logits.isinf(), wanted.isinf())
    assert torch.equal(logits[~logits.isinf()], wanted[~wanted.isinf()])


@settings(max_examples=40, deadline=None)
@given(rows, st.integers(0, 1000))
def test_a_rule_that_no_row_has_may_be_left_out(sampled: list[tuple[list[int], bool]], seed: int) -> None:
    bounds = [token_bounds(tokens, timestamps, VOCABULARY) for tokens, timestamps in sampled]
    all_rules = torch.randn(len(sampled), SIZE, generator=torch.Generator().manual_seed(seed)) * 4
    present_rules = all_rules.clone()
    PROCESS(all_rules, torch.tensor(bounds))
    PROCESS(present_rules, torch.tensor(bounds), [any(column) for column in zip(*bounds, strict=True)])
    assert torch.equal(all_rules, present_rules)


@pytest.mark.parametrize(
    ("sampled", "is_time"), [([], True), ([TIME], False), ([TIME, TEXT, TIME + 5], True), ([TIME, TEXT], False)]
)
def test_timestamps_come_in_pairs(sampled: list[int], is_time: bool) -> None:
    """Given logits that prefer a text token to all others."""
    logits = torch.zeros(1, SIZE)
    logits[0, TEXT + 1] = 20
    PROCESS(logits, torch.tensor([token_bounds(sampled, True, VOCABULARY)]))
    assert (int(logits.argmax()) >= TIME) == is_time
