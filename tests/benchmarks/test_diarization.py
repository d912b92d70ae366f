"""The diarization error rate, by hand-made turns; and words given to the right speaker."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.diarization import overlaps
from benchmarks.diarization.error_rate import Spoken, error_rate
from benchmarks.diarization.ledger import Ledger
from benchmarks.diarization.overlaps import OverlapsCounted
from benchmarks.diarization.words import WordsMeasured, count
from tests.fakes.engine import SEGMENT, SPOKEN
from whisper_runtime.diarization.interface import SpeakerTurn
from whisper_runtime.engine.transcription import Word

TRUTH = [Spoken(0, 10, "a"), Spoken(10, 20, "b")]


@pytest.mark.parametrize(
    ("found", "rate"),
    [
        pytest.param([Spoken(0, 10, "x"), Spoken(10, 20, "y")], 0.0, id="right, by other names"),
        pytest.param([Spoken(0, 20, "x")], 0.5, id="one speaker for two"),
        pytest.param([], 1.0, id="nothing found"),
        pytest.param([Spoken(0, 10, "x"), Spoken(10, 14, "y")], 0.3, id="6 of 20 s are missed"),
        pytest.param([*TRUTH, Spoken(20, 25, "c")], 0.25, id="5 s of 20 s too much"),
        pytest.param([Spoken(0, 10, "x"), Spoken(10, 15, "y"), Spoken(15, 20, "z")], 0.25, id="a speaker in two"),
        pytest.param([Spoken(0, 8, "x"), Spoken(8, 20, "y")], 0.1, id="2 s of another speaker's"),
        pytest.param([*TRUTH, Spoken(0, 4, "b")], 0.2, id="two at once where one speaks"),
    ],
)
def test_seconds_that_are_missed_false_or_anothers_count(found: list[Spoken], rate: float) -> None:
    assert error_rate(TRUTH, found, collar=0) == pytest.approx(rate, abs=0.005)


def test_of_two_who_speak_at_once_both_are_wanted() -> None:
    both = [Spoken(0, 10, "a"), Spoken(5, 10, "b")]
    assert error_rate(both, [Spoken(0, 10, "x")], collar=0) == pytest.approx(5 / 15, abs=0.005)


def test_what_is_near_an_edge_of_the_truth_is_not_counted() -> None:
    late = [Spoken(0.2, 10.2, "x"), Spoken(10.2, 20.2, "y")]
    assert error_rate(TRUTH, late) == 0.0
    assert error_rate(TRUTH, late, collar=0) > 0.02


def test_a_time_at_which_two_speak_is_told_by_a_turn_that_begins_near_it() -> None:
    truth = [Spoken(0, 10, "a"), Spoken(9.5, 20, "b"), Spoken(19.5, 30, "a")]
    turns = [
        SpeakerTurn(0, 9.8, "A"),
        SpeakerTurn(9.8, 15, "B", overlaps=True),
        SpeakerTurn(15, 30, "A", overlaps=True),
    ]
    assert overlaps.count(truth, turns) == OverlapsCounted(overlaps=2, told=1, turns=3, false=1)


def test_what_was_measured_is_measured_once(tmp_path: Path) -> None:
    first = WordsMeasured(words=6, right=5, nobodys=1)
    assert Ledger(tmp_path / "run").measured("dialogue 1", WordsMeasured, lambda: first) == first
    again = Ledger(tmp_path / "run")
    assert again.measured("dialogue 1", WordsMeasured, lambda: pytest.fail("it is known")) == first
    assert again.measured("dialogue 2", WordsMeasured, lambda: replace(first, words=7)).words == 7


def test_a_truth_within_its_collar_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="take a smaller collar"):
        error_rate([Spoken(0, 0.4, "a")], [])


def test_words_count_for_the_speaker_whose_name_most_of_theirs_have() -> None:
    spoken = [(1, 2, "B"), (3, 4, "B"), (9, 9.8, "B"), (11, 12, "A"), (13, 14, "B"), (10.0, 10.1, "A"), (25, 26, "A")]
    words = tuple(Word(" so", start, end, 1.0, speaker) for start, end, speaker in spoken)
    found = replace(SPOKEN, segments=(replace(SEGMENT, words=words),))
    assert count(TRUTH, found) == WordsMeasured(words=6, right=5, nobodys=1)
