"""The decisions of the generator for scripted results: which query comes next, and which segments come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.fakes.results import TOKENIZER, decoded, transcribe
from whisper_runtime.engine.policy.queries import Alignment, AlignTokens, DecodeWindow, Query
from whisper_runtime.engine.transcription import Options

ENGLISH = Options(language="en")


def prompts_of(queries: Sequence[Query]) -> list[tuple[float, list[int]]]:
    """Of each decoding: its temperature, and the earlier text in its prompt."""
    found = [query.params for query in queries if isinstance(query, DecodeWindow)]
    return [(params.temperature, list(params.prompt[1 : params.sot_index])) for params in found]


def test_a_window_without_inner_timestamps_is_one_segment() -> None:
    found, _ = transcribe(10, ENGLISH, decoded(0.0, " Ask not.", 4.0))
    assert [(segment.start, segment.end, segment.text) for segment in found.segments] == [(0.0, 4.0, " Ask not.")]
    assert (found.text, found.duration) == (" Ask not.", 10.0)


def test_pairs_of_timestamps_separate_segments_and_the_unfinished_rest_is_decoded_again() -> None:
    first = decoded(0.0, " One.", 2.0, 2.0, " Two.", 5.0, 5.0, " Three")
    found, queries = transcribe(31, ENGLISH, first, decoded(0.0, " Three.", 3.0))
    assert [(segment.seek, segment.start, segment.text) for segment in found.segments] == [
        (0, 0.0, " One."),
        (0, 2.0, " Two."),
        (500, 5.0, " Three."),
    ]
    assert [segment.id for segment in found.segments] == [0, 1, 2]
    assert len(queries) == 2


def test_the_text_so_far_conditions_the_next_window() -> None:
    one = decoded(0.0, " One.", 30.0)
    _, queries = transcribe(60, ENGLISH, one, one)
    assert prompts_of(queries) == [(0.0, []), (0.0, list(one.tokens))]


def test_a_prompt_of_the_client_comes_first_and_is_not_repeated_in_the_text() -> None:
    found, queries = transcribe(10, replace(ENGLISH, prompt="Kennedy"), decoded(0.0, " Ask not.", 4.0))
    assert TOKENIZER.decode(prompts_of(queries)[0][1]) == " Kennedy"
    assert found.text == " Ask not."


@pytest.mark.parametrize("prompt", ["Hello <|endoftext|>", "<|de|>", "a<|0.00|>"])
def test_the_name_of_a_special_token_in_a_prompt_is_text(prompt: str) -> None:
    found, queries = transcribe(10, replace(ENGLISH, prompt=prompt), decoded(0.0, " Ask not.", 4.0))
    ((_, earlier),) = prompts_of(queries)
    assert TOKENIZER.decode(earlier) == f" {prompt}"
    assert max(earlier) < TOKENIZER.eot
    assert found.text == " Ask not."


def test_a_prompt_fills_half_of_the_context_at_most() -> None:
    _, queries = transcribe(10, replace(ENGLISH, prompt="ask not " * 400), decoded(0.0, " Ask not.", 4.0))
    assert len(prompts_of(queries)[0][1]) == 223


def test_keywords_precede_the_prompt_of_each_window() -> None:
    options = replace(ENGLISH, keywords="kopf, etcd", prompt="A call.")
    one = decoded(0.0, " One.", 30.0)
    _, queries = transcribe(60, options, one, one)
    first, second = (TOKENIZER.decode_with_timestamps(tokens) for _, tokens in prompts_of(queries))
    assert first == " kopf, etcd A call."
    assert second == " kopf, etcd A call.<|0.00|> One.<|30.00|>"


def test_keywords_stay_where_text_so_far_is_no_prompt() -> None:
    options = replace(ENGLISH, keywords="kopf", condition_on_previous_text=False, clip_timestamps=(0.0, 60.0))
    one = decoded(0.0, " One.", 30.0)
    _, queries = transcribe(60, options, one, one)
    assert [TOKENIZER.decode(tokens) for _, tokens in prompts_of(queries)] == [" kopf", " kopf"]


def test_of_a_long_prompt_keywords_leave_the_end() -> None:
    options = replace(ENGLISH, keywords="kopf", prompt="ask not " * 400)
    _, queries = transcribe(10, options, decoded(0.0, " Ask not.", 4.0))
    ((_, earlier),) = prompts_of(queries)
    assert len(earlier) == 223
    assert TOKENIZER.decode(earlier).startswith(" kopf")
    assert TOKENIZER.decode(earlier).endswith(" ask not")


def test_a_poor_result_is_tried_at_higher_temperatures_and_does_not_condition() -> None:
    poor, fair = decoded(" eh", logprob=-2.0), decoded(0.0, " One.", 30.0)
    repeated = decoded(" la" * 40)
    _, queries = transcribe(60, ENGLISH, poor, repeated, poor, fair, decoded(0.0, " Two.", 30.0))
    assert [temperature for temperature, _ in prompts_of(queries)] == [0.0, 0.2, 0.4, 0.6, 0.0]
    assert prompts_of(queries)[4][1] == []


def test_a_window_that_is_tried_again_is_the_same_window() -> None:
    _, queries = transcribe(10, ENGLISH, decoded(" eh", logprob=-2.0), decoded(0.0, " One.", 9.0))
    assert queries[0].window is queries[1].window  # type: ignore[union-attr]


def test_beams_are_for_temperature_0_and_several_samples_for_those_above() -> None:
    options = replace(ENGLISH, beam_size=5, best_of=3)
    _, queries = transcribe(10, options, decoded(" eh", logprob=-2.0), decoded(0.0, " One.", 9.0))
    assert [query.params.num_candidates for query in queries if isinstance(query, DecodeWindow)] == [5, 3]


def test_silence_is_skipped_and_not_tried_again() -> None:
    quiet = decoded(" Thank you.", no_speech_prob=0.9, logprob=-1.5)
    found, queries = transcribe(40, ENGLISH, quiet, quiet)
    assert (found.text, found.segments) == ("", ())
    assert len(queries) == 2


def test_text_of_high_probability_is_no_silence() -> None:
    found, _ = transcribe(10, ENGLISH, decoded(0.0, " Ask not.", 4.0, no_speech_prob=0.9))
    assert found.text == " Ask not."


def test_an_empty_segment_keeps_its_times_and_loses_its_words() -> None:
    quiet = decoded(" Thank you.", no_speech_prob=0.9, logprob=-1.5)
    found, _ = transcribe(10, ENGLISH, decoded(0.0, " One.", 2.0, 2.0, 2.0), quiet)
    assert [(segment.start, segment.end, segment.text, segment.tokens == ()) for segment in found.segments] == [
        (0.0, 2.0, " One.", False),
        (2.0, 2.0, "", True),
    ]


def test_log_probabilities_are_there_for_each_token_where_they_are_asked_for() -> None:
    window = decoded(0.0, " One.", 2.0)
    with_them, _ = transcribe(10, replace(ENGLISH, logprobs=True), window)
    without, _ = transcribe(10, ENGLISH, window)
    assert with_them.segments[0].token_logprobs == (-0.3,) * len(window.tokens)
    assert without.segments[0].token_logprobs == ()


def test_words_are_aligned_in_the_same_window_and_the_next_one_starts_after_the_last() -> None:
    first = decoded(0.0, " One", 2.0, 2.0, " two", 3.0, 3.0)
    alignment = Alignment((0.9, 0.8), (0, 0, 1, 2), (10, 20, 60, 90))
    options = replace(ENGLISH, word_timestamps=True)
    found, queries = transcribe(
        31, options, first, alignment, decoded(0.0, " three.", 3.0), Alignment((0.7, 0.6), (0, 1, 2), (0, 10, 20))
    )
    assert isinstance(queries[1], AlignTokens)
    assert queries[1].window is queries[0].window  # type: ignore[union-attr]
    assert queries[1].tokens == (
        *TOKENIZER.sot_sequence,
        TOKENIZER.no_timestamps,
        *TOKENIZER.encode(" One two"),
        TOKENIZER.eot,
    )
    assert [word.word for segment in found.segments for word in segment.words] == [" One", " two", " three."]
    assert found.segments[2].seek == round(found.segments[1].words[-1].end * 100)
