"""Checks of function: each way to transcribe badly fails the check that is named after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.engine import MULTILINGUAL, SEGMENT, SPOKEN, TURBO, FakeEngine
from tests.runtime.verify.conftest import OTHER_WORDS, SPEAKING, CannedClient, decode, options, outcomes, target
from tests.support.runtime_server import fake_server
from whisper_runtime.engine.interface import Abilities
from whisper_runtime.verify.checks import CheckFailed
from whisper_runtime.verify.functional import check_words, words_of_cues
from whisper_runtime.verify.run import verify

WITHOUT_WORDS = replace(SPOKEN, segments=(replace(SEGMENT, words=()),))


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (OTHER_WORDS, SPEAKING),
        (replace(SPOKEN, language="de"), {"language"}),
        (WITHOUT_WORDS, {"word-times"}),
        (RuntimeError("out of memory"), SPEAKING | {"language", "all-answered"}),
    ],
    ids=["other words", "another language", "no words", "nothing but errors"],
)
def test_a_bad_answer_fails_the_checks_of_that_name(golden: str, answer: Any, failed: set[str]) -> None:
    engine = FakeEngine()
    engine.answer = answer
    with fake_server(engine, decode) as url:
        report = verify(options(url, golden))
    assert outcomes(report, False) == failed


def test_each_request_names_the_clips_language_but_one_that_takes_the_servers(golden: str) -> None:
    """Given a server for German, and the image's English clip."""
    engine = FakeEngine()
    with fake_server(engine, decode, language="de") as url:
        report = verify(options(url, golden, default_language="de"))
    asked = [one.language for one in engine.asked if one.task == "transcribe"]
    assert (set(asked), asked.count("de")) == ({"en", "de"}, 1)
    assert outcomes(report, False) == {"language"}, "this engine answers in English whatever it is asked"


def test_a_default_language_is_checked_as_configured(golden: str) -> None:
    engine = FakeEngine()
    engine.answer = replace(SPOKEN, language="de")
    with fake_server(engine, decode, language="de") as url:
        report = verify(options(url, golden, default_language="de"))
    [check] = [check for check in report.checks if check.name == "language"]
    assert check.message == "de, as configured"
    assert report.passed, report.to_json()


def test_the_words_of_a_translation_are_known_of_an_english_clip_alone(golden: str) -> None:
    engine = FakeEngine()
    engine.answer = replace(SPOKEN, text=" Frag nicht.", language="de")
    with fake_server(engine, decode) as url:
        report = verify(options(url, golden, clip_language="de"))
    [check] = [check for check in report.checks if check.name == "translates"]
    assert (check.passed, check.message) == (True, "2 words in English")


@pytest.mark.parametrize("abilities", [TURBO, MULTILINGUAL])
def test_a_model_that_cannot_translate_may_say_so(golden: str, abilities: Abilities) -> None:
    engine = FakeEngine()
    engine.abilities = abilities
    with fake_server(engine, decode) as url:
        [check] = [check for check in verify(options(url, golden)).checks if check.name == "translates"]
    assert check.passed
    assert ("was not trained to translate" in check.message) == (abilities == TURBO)


def test_the_word_error_rate_is_reported_without_the_words() -> None:
    assert check_words("Ask not.", target(CannedClient())) == "word error rate 0%"
    with pytest.raises(CheckFailed, match="50% of the words are wrong, at most 20% may be"):
        check_words("Ask now.", target(CannedClient()))


@pytest.mark.parametrize(
    "subtitles",
    [
        "1\n00:00:00,000 --> 00:00:01,000\nAsk\n\n2\n00:00:01,000 --> 00:00:02,000\nnot.\n\n",
        "WEBVTT\n\n00:00.000 --> 00:01.000\nAsk\n\n01:00:01.000 --> 01:00:02.000\nnot.\n\n",
    ],
    ids=["srt", "vtt"],
)
def test_the_words_of_subtitles(subtitles: str) -> None:
    assert words_of_cues(subtitles) == "Ask not."
