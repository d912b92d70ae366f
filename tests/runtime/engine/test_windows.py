"""The generator's decisions, with results that a test scripts: what is asked for next, and what comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from whisper.decoding import DecodingOptions, DecodingResult
from whisper.model import ModelDimensions
from whisper.tokenizer import get_tokenizer

from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.engine.windows import Decode, Detect, Speaks, windows

DIMS = ModelDimensions(80, 1500, 384, 6, 4, 51865, 448, 384, 6, 4)
MODEL = Speaks(DIMS, is_multilingual=True, num_languages=99, fp16=False)
TOKENS = get_tokenizer(True, num_languages=99, language="en", task="transcribe")
ENGLISH = Options(language="en")


def said(*pieces: str | float, **numbers: float) -> DecodingResult:
    """A result: words as text, times in seconds as timestamp tokens."""
    tokens = [
        token
        for piece in pieces
        for token in (
            TOKENS.encode(piece) if isinstance(piece, str) else [TOKENS.timestamp_begin + round(piece / 0.02)]
        )
    ]
    good = {"avg_logprob": -0.3, "no_speech_prob": 0.01, "temperature": 0.0, "compression_ratio": 1.2}
    return DecodingResult(torch.zeros(1), "en", tokens=tokens, **{**good, **numbers})  # type: ignore[arg-type]


def told(seconds: float, options: Options, *results: DecodingResult) -> tuple[Transcription, list[DecodingOptions]]:
    """What comes out when these are the answers, and what was asked for."""
    generator = windows(np.zeros(int(seconds * 16_000), dtype=np.float32), options, MODEL)
    answers: Iterator[DecodingResult] = iter(results)
    asked: list[DecodingOptions] = []
    try:
        window = next(generator)
        while True:
            assert window.mel.shape == (80, 3000)
            asked.append(window.options)
            window = generator.send(next(answers))
    except StopIteration as end:
        return end.value, asked


def test_a_language_that_nobody_names_is_detected_first() -> None:
    generator = windows(np.zeros(16_000, dtype=np.float32), Options(), MODEL)
    assert isinstance(next(generator), Detect)
    window = generator.send(replace(said(), language="es"))
    assert isinstance(window, Decode)
    assert window.options.language == "es"


def test_an_english_only_model_detects_nothing() -> None:
    generator = windows(np.zeros(16_000, dtype=np.float32), Options(), replace(MODEL, is_multilingual=False))
    assert isinstance(next(generator), Decode)


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


def test_each_windows_segments_are_told_as_soon_as_they_are_final() -> None:
    told_so_far: list[list[str]] = []
    generator = windows(
        np.zeros(40 * 16_000, dtype=np.float32),
        ENGLISH,
        MODEL,
        lambda segments: told_so_far.append([f"{segment.id}{segment.text}" for segment in segments]),
    )
    next(generator)
    generator.send(said(0.0, " One.", 2.0, 2.0, " Two.", 30.0))
    assert told_so_far == [["0 One.", "1 Two."]]
    with pytest.raises(StopIteration):
        generator.send(said(0.0, " Three.", 10.0))
    assert told_so_far[1:] == [["2 Three."]]


def test_the_text_so_far_conditions_the_next_window() -> None:
    one = said(0.0, " One.", 30.0)
    _, asked = told(60, ENGLISH, one, one)
    assert asked[1].prompt == one.tokens
    _, asked = told(60, replace(ENGLISH, condition_on_previous_text=False), one, one)
    assert asked[1].prompt == []


def test_a_prompt_of_the_client_comes_first_and_is_not_repeated_in_the_text() -> None:
    found, asked = told(10, replace(ENGLISH, prompt="Kennedy"), said(0.0, " Ask not.", 4.0))
    assert TOKENS.decode(list(asked[0].prompt or ())) == " Kennedy"
    assert found.text == " Ask not."


def test_a_poor_result_is_tried_at_higher_temperatures_and_does_not_condition() -> None:
    poor, fair = said(" eh", avg_logprob=-2.0), said(0.0, " One.", 30.0, temperature=0.6)
    repeated = said(" la la la", compression_ratio=3.0)
    _, asked = told(60, ENGLISH, poor, repeated, poor, fair, said(0.0, " Two.", 30.0))
    assert [options.temperature for options in asked] == [0.0, 0.2, 0.4, 0.6, 0.0]
    assert asked[4].prompt == []


def test_silence_is_skipped_and_not_tried_again() -> None:
    silence = said(" Thank you.", no_speech_prob=0.9, avg_logprob=-1.5)
    found, asked = told(40, ENGLISH, silence, silence)
    assert (found.text, found.segments) == ("", ())
    assert len(asked) == 2


def test_speech_that_is_sure_of_itself_is_no_silence() -> None:
    found, _ = told(10, ENGLISH, said(0.0, " Ask not.", 4.0, no_speech_prob=0.9))
    assert found.text == " Ask not."


def test_an_empty_segment_keeps_its_times_and_loses_its_words() -> None:
    silence = said(" Thank you.", no_speech_prob=0.9, avg_logprob=-1.5)
    found, _ = told(10, ENGLISH, said(0.0, " One.", 2.0, 2.0, 2.0), silence)
    assert [(segment.start, segment.end, segment.text, segment.tokens == ()) for segment in found.segments] == [
        (0.0, 2.0, " One.", False),
        (2.0, 2.0, "", True),
    ]
