"""What a trial of a client shows."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clients import judge
from testbed.inputs.recordings import JFK_WORDS

WORDS = [[word, index / 2, index / 2 + 0.4] for index, word in enumerate(JFK_WORDS.split())]
TOLD = {"error": {"status": 429, "message": "The queue is full."}}
SRT = f"1\n00:00:00,000 --> 00:00:05,000\n{JFK_WORDS[:30]}\n\n2\n00:00:05,000 --> 00:00:11,000\n{JFK_WORDS[30:]}\n\n"


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("json", {"text": f" {JFK_WORDS}."}),
        ("translation", {"text": JFK_WORDS}),
        ("words", {"text": JFK_WORDS, "words": WORDS, "language": "english", "duration": 11.0}),
        ("words", {"text": JFK_WORDS, "words": WORDS}),
        ("srt", {"text": SRT}),
        ("stream", {"deltas": [JFK_WORDS[:9], JFK_WORDS[9:]], "text": JFK_WORDS}),
    ],
)
def test_an_answer_with_the_recordings_words_is_right(task: str, answer: dict[str, Any]) -> None:
    assert judge.on_answer(task, answer) == judge.Verdict("✓")


@pytest.mark.parametrize(
    ("task", "answer", "said"),
    [
        ("json", {"text": "Ask not"}, "Ask not"),
        ("json", {"error": {"status": 400, "message": "no field"}}, "no field"),
        ("words", {"text": JFK_WORDS, "words": WORDS[:-1]}, "the words are"),
        ("words", {"text": JFK_WORDS, "words": [*WORDS[:-1], ["country", 0, 1]]}, "the times are"),
        ("words", {"text": JFK_WORDS, "words": WORDS, "duration": 30.0}, "the duration is 30.0"),
        ("words", {"text": JFK_WORDS, "words": WORDS, "language": "welsh"}, "the language is welsh"),
        ("srt", {"text": SRT.replace("2\n", "3\n")}, "the cues are"),
        ("srt", {"text": JFK_WORDS}, "the text is ''"),
        ("stream", {"deltas": [JFK_WORDS[:9]], "text": JFK_WORDS}, "the deltas are"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(task: str, answer: dict[str, Any], said: str) -> None:
    verdict = judge.on_answer(task, answer)
    assert verdict.cell == "✗"
    assert said in (verdict.failure or "")


@pytest.mark.parametrize(
    ("answer", "seen", "cell"),
    [
        ({"text": JFK_WORDS}, [10, 13], "waits"),
        ({"text": JFK_WORDS}, [10, 10.5], "too soon"),
        (TOLD, [10], "raises"),
    ],
)
def test_how_a_client_takes_one_429(answer: dict[str, Any], seen: list[float], cell: str) -> None:
    assert judge.on_second_try(answer, seen) == judge.Verdict(cell)


def test_a_client_that_asks_again_gets_its_words() -> None:
    assert judge.on_second_try(TOLD, [10, 13]).failure


@pytest.mark.parametrize(
    ("answer", "is_silent", "is_right"),
    [
        (TOLD, False, True),
        ({"error": {"status": None, "message": "Error code: 429"}}, False, True),
        ({"error": {"status": None, "message": "failed"}}, False, False),
        ({"text": ""}, False, False),
        ({"text": ""}, True, True),
    ],
)
def test_a_caller_learns_of_a_refusal(answer: dict[str, Any], is_silent: bool, is_right: bool) -> None:
    verdict = judge.on_refusal(429, answer, [1, 4, 7], is_silent=is_silent)
    assert (verdict.cell, verdict.failure is None) == ("3", is_right)
