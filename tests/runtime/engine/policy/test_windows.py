"""The generator's decisions, with answers that a test scripts: what is asked for next, and what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest
import torch

from whisper_runtime.engine.batching.request import Request
from whisper_runtime.engine.policy.queries import Align, Answer, Decode, Detect, Heard, Language, Pause, Said, Work
from whisper_runtime.engine.policy.tokens import Tokens
from whisper_runtime.engine.transcription import Options, Segment, Transcription

MODEL = Tokens(is_multilingual=True, num_languages=99, n_vocab=51865, n_text_ctx=448)
TOKENS = MODEL.of("en", "transcribe")
ENGLISH = Options(language="en")
CPU = torch.device("cpu")


def said(*pieces: str | float, logprob: float = -0.3, no_speech_prob: float = 0.01) -> Said:
    """Words as text, times in seconds as timestamp tokens."""
    tokens = [
        token
        for piece in pieces
        for token in (
            TOKENS.encode(piece) if isinstance(piece, str) else [TOKENS.timestamp_begin + round(piece / 0.02)]
        )
    ]
    count = len(tokens) + 1
    return Said(tuple(tokens), (logprob,) * count, logprob * count, no_speech_prob)


def told(
    seconds: float, options: Options, *answers: Answer, told_so_far: list[Segment] | None = None
) -> tuple[Transcription, list[Work]]:
    """What comes out when these are the answers, and what was asked for."""
    samples = np.zeros(int(seconds * 16_000), dtype=np.float32)
    tell = None if told_so_far is None else told_so_far.extend
    request = Request(samples, options, Future(), tell, since=0.0)
    asked: list[Work] = []
    given: Iterator[Answer] = iter(answers)
    for listener in run(request.opening(MODEL, 80, CPU), asked, given):
        run(listener, asked, given)
    assert request.is_done
    return request.done(), [work for work in asked if not isinstance(work, Pause)]


def run(generator, asked: list[Work], answers: Iterator[Answer]):
    try:
        work = next(generator)
        while True:
            asked.append(work)
            work = generator.send(None if isinstance(work, Pause) else next(answers))
    except StopIteration as end:
        return end.value


def scripts(asked: Sequence[Work]) -> list[tuple[float, list[int]]]:
    """Of each decoding: its temperature, and the earlier text in its prompt."""
    found = [work.script for work in asked if isinstance(work, Decode)]
    return [(script.temperature, list(script.prompt[1 : script.sot])) for script in found]


def test_a_language_that_nobody_names_is_detected_in_the_first_window() -> None:
    found, asked = told(10, Options(), Language("es", 0.99), said(0.0, " Hola.", 4.0))
    detect, decode = asked
    assert isinstance(detect, Detect)
    assert isinstance(decode, Decode)
    assert detect.window is decode.window
    assert decode.script.prompt == MODEL.of("es", "transcribe").sot_sequence
    assert found.language == "es"


def test_a_language_that_is_not_sure_is_asked_again_with_upstreams_padding() -> None:
    found, asked = told(10, Options(), Language("es", 0.5), Language("pt", 0.6), said(0.0, " Olá.", 4.0))
    assert isinstance(asked[1], Detect)
    assert asked[1].window is not asked[0].window
    assert found.language == "pt"


def test_an_english_only_model_detects_nothing() -> None:
    english = replace(MODEL, is_multilingual=False, n_vocab=51864)
    request = Request(np.zeros(16_000, dtype=np.float32), Options(), Future(), None, since=0.0)
    asked: list[Work] = []
    (listener,) = run(request.opening(english, 80, CPU), asked, iter(()))
    assert asked == []
    assert isinstance(next(listener), Decode)


def test_a_window_without_inner_times_is_one_segment() -> None:
    found, _ = told(10, ENGLISH, said(0.0, " Ask not.", 4.0))
    assert [(segment.start, segment.end, segment.text) for segment in found.segments] == [(0.0, 4.0, " Ask not.")]
    assert (found.text, found.duration) == (" Ask not.", 10.0)


def test_pairs_of_times_cut_segments_and_the_unfinished_rest_is_asked_again() -> None:
    first = said(0.0, " One.", 2.0, 2.0, " Two.", 5.0, 5.0, " Three")
    found, asked = told(31, ENGLISH, first, said(0.0, " Three.", 3.0))
    assert [(segment.seek, segment.start, segment.text) for segment in found.segments] == [
        (0, 0.0, " One."),
        (0, 2.0, " Two."),
        (500, 5.0, " Three."),
    ]
    assert [segment.id for segment in found.segments] == [0, 1, 2]
    assert len(asked) == 2


def test_segments_are_told_window_by_window_and_their_texts_make_up_the_whole() -> None:
    heard: list[Segment] = []
    found, _ = told(60, ENGLISH, said(0.0, " One.", 30.0), said(0.0, " Two.", 30.0), told_so_far=heard)
    assert tuple(heard) == found.segments
    assert "".join(segment.text for segment in heard) == found.text == " One. Two."


def test_the_text_so_far_conditions_the_next_window() -> None:
    one = said(0.0, " One.", 30.0)
    _, asked = told(60, ENGLISH, one, one)
    assert scripts(asked) == [(0.0, []), (0.0, list(one.tokens))]


def test_a_prompt_of_the_client_comes_first_and_is_not_repeated_in_the_text() -> None:
    found, asked = told(10, replace(ENGLISH, prompt="Kennedy"), said(0.0, " Ask not.", 4.0))
    assert TOKENS.decode(scripts(asked)[0][1]) == " Kennedy"
    assert found.text == " Ask not."


@pytest.mark.parametrize("prompt", ["Hello <|endoftext|>", "<|de|>", "a<|0.00|>"])
def test_what_looks_like_a_special_token_in_a_prompt_is_text(prompt: str) -> None:
    found, asked = told(10, replace(ENGLISH, prompt=prompt), said(0.0, " Ask not.", 4.0))
    ((_, earlier),) = scripts(asked)
    assert TOKENS.decode(earlier) == f" {prompt}"
    assert max(earlier) < TOKENS.eot
    assert found.text == " Ask not."


def test_a_prompt_fills_half_of_the_context_at_most() -> None:
    _, asked = told(10, replace(ENGLISH, prompt="ask not " * 400), said(0.0, " Ask not.", 4.0))
    assert len(scripts(asked)[0][1]) == 223


def test_a_poor_result_is_tried_at_higher_temperatures_and_does_not_condition() -> None:
    poor, fair = said(" eh", logprob=-2.0), said(0.0, " One.", 30.0)
    repeated = said(" la" * 40)
    _, asked = told(60, ENGLISH, poor, repeated, poor, fair, said(0.0, " Two.", 30.0))
    assert [temperature for temperature, _ in scripts(asked)] == [0.0, 0.2, 0.4, 0.6, 0.0]
    assert scripts(asked)[4][1] == []


def test_what_is_tried_again_is_the_same_window() -> None:
    _, asked = told(10, ENGLISH, said(" eh", logprob=-2.0), said(0.0, " One.", 9.0))
    assert asked[0].window is asked[1].window  # type: ignore[union-attr]


def test_beams_are_for_temperature_0_and_samples_to_choose_from_for_those_above() -> None:
    options = replace(ENGLISH, beam_size=5, best_of=3)
    _, asked = told(10, options, said(" eh", logprob=-2.0), said(0.0, " One.", 9.0))
    assert [work.script.candidates for work in asked if isinstance(work, Decode)] == [5, 3]


def test_silence_is_skipped_and_not_tried_again() -> None:
    silence = said(" Thank you.", no_speech_prob=0.9, logprob=-1.5)
    found, asked = told(40, ENGLISH, silence, silence)
    assert (found.text, found.segments) == ("", ())
    assert len(asked) == 2


def test_speech_that_is_sure_of_itself_is_no_silence() -> None:
    found, _ = told(10, ENGLISH, said(0.0, " Ask not.", 4.0, no_speech_prob=0.9))
    assert found.text == " Ask not."


def test_an_empty_segment_keeps_its_times_and_loses_its_words() -> None:
    silence = said(" Thank you.", no_speech_prob=0.9, logprob=-1.5)
    found, _ = told(10, ENGLISH, said(0.0, " One.", 2.0, 2.0, 2.0), silence)
    assert [(segment.start, segment.end, segment.text, segment.tokens == ()) for segment in found.segments] == [
        (0.0, 2.0, " One.", False),
        (2.0, 2.0, "", True),
    ]


def test_clips_are_all_that_is_listened_to() -> None:
    one = said(0.0, " One.", 2.0)
    found, asked = told(60, replace(ENGLISH, clip_timestamps=(5.0, 8.0, 50.0)), one, one)
    assert [segment.seek for segment in found.segments] == [500, 5000]
    assert [work.window.seconds for work in asked if isinstance(work, Decode)] == [3.0, 10.0]


def test_log_probabilities_are_there_for_each_token_where_they_are_asked_for() -> None:
    window = said(0.0, " One.", 2.0)
    with_them, _ = told(10, replace(ENGLISH, logprobs=True), window)
    without, _ = told(10, ENGLISH, window)
    assert with_them.segments[0].token_logprobs == (-0.3,) * len(window.tokens)
    assert without.segments[0].token_logprobs == ()


def test_words_are_asked_of_the_same_window_and_the_next_one_starts_after_the_last() -> None:
    first = said(0.0, " One", 2.0, 2.0, " two", 3.0, 3.0)
    heard = Heard((0.9, 0.8), (0, 0, 1, 2), (10, 20, 60, 90))
    options = replace(ENGLISH, word_timestamps=True)
    found, asked = told(31, options, first, heard, said(0.0, " three.", 3.0), Heard((0.7, 0.6), (0, 1, 2), (0, 10, 20)))
    assert isinstance(asked[1], Align)
    assert asked[1].window is asked[0].window  # type: ignore[union-attr]
    assert asked[1].tokens == (*TOKENS.sot_sequence, TOKENS.no_timestamps, *TOKENS.encode(" One two"), TOKENS.eot)
    assert [word.word for segment in found.segments for word in segment.words] == [" One", " two", " three."]
    assert found.segments[2].seek == round(found.segments[1].words[-1].end * 100)


def test_a_file_without_conditioning_is_cut_at_quiet_places_and_told_in_order() -> None:
    """Given 70 s with a pause at 25 s and at 50 s, whose pieces are answered last first."""
    samples = np.full(70 * 16_000, 0.1, dtype=np.float32)
    for second in (25, 50):
        samples[int((second - 0.2) * 16_000) : int((second + 0.2) * 16_000)] = 0
    heard: list[Segment] = []
    options = replace(ENGLISH, condition_on_previous_text=False)
    request = Request(samples, options, Future(), heard.extend, since=0.0)
    pieces = run(request.opening(MODEL, 80, CPU), [], iter(()))
    assert len(pieces) == 3
    for piece, text in reversed([*zip(pieces, (" One.", " Two.", " Three."), strict=True)]):
        assert heard == []
        run(piece, [], iter((said(0.0, text, 20.0),)))
    assert [(segment.id, segment.text) for segment in heard] == [(0, " One."), (1, " Two."), (2, " Three.")]
    assert [segment.start for segment in heard] == pytest.approx([0, 25, 50], abs=0.2)
    assert request.done().text == " One. Two. Three."


def test_an_empty_file_says_nothing() -> None:
    found, asked = told(0, ENGLISH)
    assert (found.text, found.segments, found.duration) == ("", (), 0.0)
    assert asked == []
