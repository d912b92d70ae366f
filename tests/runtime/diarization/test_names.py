"""Which name a speaker has."""

from __future__ import annotations

from itertools import islice

from whisper_runtime.diarization.names import letters, named_turns
from whisper_runtime.diarization.turns import Stretch


def speakers(numbers: list[int], known: dict[int, str], taken: set[str]) -> list[str]:
    stretches = [Stretch(float(at), at + 1.0, number) for at, number in enumerate(numbers)]
    return [turn.speaker for turn in named_turns(stretches, known, taken)]


def test_letters_go_on_after_z() -> None:
    first = list(islice(letters(), 26 * 27 + 1))
    assert (first[0], first[25], first[26], first[51], first[52], first[-1]) == ("A", "Z", "AA", "AZ", "BA", "AAA")


def test_speakers_are_named_as_they_appear() -> None:
    assert speakers([7, 2, 7, 0], {}, set()) == ["A", "B", "A", "C"]


def test_known_speakers_have_their_names_and_others_letters() -> None:
    assert speakers([1, 0, 1, 2], {1: "Ann"}, {"Ann", "Bob"}) == ["Ann", "A", "Ann", "B"]


def test_a_turn_says_that_it_overlaps_as_its_stretch_does() -> None:
    found = named_turns([Stretch(0.0, 1.0, 0), Stretch(1.0, 2.0, 1, overlaps=True)], {}, ())
    assert [turn.overlaps for turn in found] == [False, True]


def test_a_letter_that_is_a_known_speakers_name_is_nobody_elses() -> None:
    assert speakers([0, 1, 2], {2: "A"}, {"A"}) == ["B", "C", "A"]
