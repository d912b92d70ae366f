"""The tokens of a model: prompts, languages, silence."""

from __future__ import annotations

import pytest
import torch

from tests.fakes.results import MODEL, TOKENIZER

SOT = TOKENIZER.sot_sequence


def test_a_prompt_without_earlier_text_is_the_special_tokens() -> None:
    params = MODEL.params(TOKENIZER, [], timestamps=True)
    assert (params.prompt, params.sot_index, params.timestamps) == (SOT, 0, True)


def test_without_timestamps_the_prompt_says_so() -> None:
    params = MODEL.params(TOKENIZER, [], timestamps=False)
    assert (params.prompt, params.timestamps) == ((*SOT, TOKENIZER.no_timestamps), False)


@pytest.mark.parametrize("length", [1, 223, 224, 1000])
def test_earlier_text_comes_first_as_far_as_half_of_the_context_holds_it(length: int) -> None:
    earlier = list(range(100, 100 + length))
    params = MODEL.params(TOKENIZER, earlier, timestamps=True)
    assert params.prompt == (TOKENIZER.sot_prev, *earlier[-223:], *SOT)
    assert params.prompt[params.sot_index] == TOKENIZER.sot


@pytest.mark.parametrize("length", [0, 1, 222, 223, 224, 1000])
def test_keywords_come_before_it_and_leave_it_the_rest(length: int) -> None:
    earlier, keywords = list(range(100, 100 + length)), [7, 8, 9]
    params = MODEL.params(TOKENIZER, earlier, timestamps=True, keywords=keywords)
    assert params.prompt == (TOKENIZER.sot_prev, *keywords, *earlier[-220:], *SOT)
    assert params.prompt[params.sot_index] == TOKENIZER.sot


@pytest.mark.parametrize("count", [223, 300])
def test_keywords_may_leave_nothing(count: int) -> None:
    params = MODEL.params(TOKENIZER, [1, 2, 3], timestamps=True, keywords=range(count))
    assert params.prompt == (TOKENIZER.sot_prev, *range(223), *SOT)


def test_the_likeliest_language_is_detected_among_languages_alone() -> None:
    logits = torch.zeros(MODEL.n_vocab)
    logits[TOKENIZER.eot], logits[TOKENIZER.to_language_token("de")] = 50.0, 10.0
    found = MODEL.detect_language(logits)
    assert (found.code, found.probability) == ("de", pytest.approx(1.0, abs=0.01))


@pytest.mark.parametrize(
    ("among", "code"), [((), "de"), (("en", "fr"), "fr"), (("fr", "de"), "de"), (("en",), "en"), (("haw", "nn"), "nn")]
)
def test_the_likeliest_of_some_languages_has_its_probability_among_all(among: tuple[str, ...], code: str) -> None:
    logits = torch.zeros(MODEL.n_vocab)
    for height, language in enumerate(("nn", "fr", "de"), 1):
        logits[TOKENIZER.to_language_token(language)] = 3.0 * height
    found = MODEL.detect_language(logits, among)
    of_all = logits[list(TOKENIZER.all_language_tokens)].softmax(dim=-1)
    assert found.code == code
    assert found.probability == pytest.approx(float(of_all[TOKENIZER.all_language_codes.index(code)]))


def test_the_probability_of_silence_is_that_of_its_token() -> None:
    logits = torch.zeros(MODEL.n_vocab)
    logits[TOKENIZER.no_speech] = 20.0
    assert MODEL.no_speech_prob(logits) == pytest.approx(1.0, abs=0.01)
