"""Whose words they are, by their times; the text stays what it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.engine import SEGMENT, SPOKEN
from whisper_runtime.diarization.interface import SpeakerTurn
from whisper_runtime.diarization.words import SpokenPart, spoken_parts, with_channels_as_speakers, with_speakers
from whisper_runtime.engine.transcription import Segment, Transcription, Word

A, B = SpeakerTurn(0.0, 2.0, "A"), SpeakerTurn(3.0, 5.0, "B")


def segment(*words: tuple[str, float, float]) -> Segment:
    timed = tuple(Word(text, start, end, 0.9) for text, start, end in words)
    return replace(SEGMENT, text="".join(word.word for word in timed), start=0.0, end=6.0, words=timed)


def transcription(*segments: Segment) -> Transcription:
    return replace(SPOKEN, text="".join(one.text for one in segments), segments=segments, duration=6.0)


def parts(found: Transcription, *turns: SpeakerTurn) -> list[SpokenPart]:
    return list(spoken_parts(with_speakers(found, turns).segments))


@pytest.mark.parametrize(
    ("start", "end", "speaker"),
    [
        (0.5, 1.0, "A"),
        (4.0, 4.5, "B"),
        (1.5, 3.2, "A"),  # most of it
        (1.9, 3.5, "B"),
        (2.1, 2.3, "A"),  # between the two: the nearer one
        (2.7, 2.9, "B"),
        (5.5, 6.0, "B"),  # behind the last
        (1.0, 1.0, "A"),  # a word without length
        (4.0, 4.0, "B"),
    ],
)
def test_a_word_is_whose_turn_has_most_of_it(start: float, end: float, speaker: str) -> None:
    [spoken] = with_speakers(transcription(segment((" word", start, end))), [B, A]).segments
    assert [word.speaker for word in spoken.words] == [speaker]


def test_a_long_turn_that_began_before_others_still_counts() -> None:
    turns = [SpeakerTurn(0.0, 10.0, "A"), SpeakerTurn(1.0, 1.5, "B"), SpeakerTurn(2.0, 2.5, "C")]
    [spoken] = with_speakers(transcription(segment((" word", 5.0, 6.0))), turns).segments
    assert spoken.speaker == "A"


def test_words_at_a_change_at_which_two_speak_are_of_two_and_what_holds_them() -> None:
    words = ((" How", 0.5, 0.8), (" are", 0.8, 1.7), (" you?", 1.8, 2.0), (" Fine,", 2.1, 2.3), (" thanks.", 2.4, 4.0))
    turns = (A, SpeakerTurn(2.0, 4.0, "B", overlaps=True), SpeakerTurn(4.0, 5.0, "A"))
    [spoken] = with_speakers(transcription(segment(*words)), turns).segments
    assert [word.overlaps for word in spoken.words] == [None, None, True, True, None]
    assert [(part.speaker, part.overlaps) for part in spoken_parts([spoken])] == [("A", True), ("B", True)]
    assert [part.overlaps for part in parts(transcription(segment(*words)), A, B)] == [None, None]


def test_a_segment_is_cut_where_the_speaker_changes() -> None:
    found = transcription(segment((" How", 0.5, 0.8), (" are", 0.8, 1.0), (" Fine.", 3.5, 4.0)))
    assert parts(found, A, B) == [SpokenPart(0.5, 1.0, "A", " How are"), SpokenPart(3.5, 4.0, "B", " Fine.")]


def test_a_segment_of_one_speaker_keeps_its_times() -> None:
    found = transcription(segment((" How", 0.5, 0.8), (" are", 0.8, 1.0)))
    assert parts(found, A, B) == [SpokenPart(0.0, 6.0, "A", " How are")]


def test_a_segment_is_of_who_speaks_longest_in_it() -> None:
    found = transcription(segment((" a", 0.5, 0.6), (" b", 0.6, 0.7), (" longer", 3.5, 4.5)))
    assert [one.speaker for one in with_speakers(found, [A, B]).segments] == ["B"]


def test_a_segment_without_words_is_whose_turn_has_most_of_it() -> None:
    found = transcription(replace(SEGMENT, text=" Hm.", start=3.0, end=4.0, words=()))
    assert parts(found, A, B) == [SpokenPart(3.0, 4.0, "B", " Hm.")]


def test_a_segment_whose_words_are_not_its_text_is_not_cut() -> None:
    spoken = replace(segment((" How", 0.5, 0.8), (" Fine.", 3.5, 4.5)), text=" How? Fine.")
    assert parts(transcription(spoken), A, B) == [SpokenPart(0.0, 6.0, "B", " How? Fine.")]


def test_text_without_a_turn_is_one_speakers() -> None:
    assert parts(transcription(segment((" word", 0.5, 1.0)))) == [SpokenPart(0.0, 6.0, "A", " word")]


def test_silence_has_no_part() -> None:
    assert parts(transcription(replace(SEGMENT, text="", words=())), A) == []
    assert parts(replace(SPOKEN, text="", segments=())) == []


def test_channels_are_speakers_in_the_order_in_which_they_begin() -> None:
    spoken = [replace(segment((" word", 0.5, 1.0)), channel=channel) for channel in (1, 0, 1)]
    told = with_channels_as_speakers(transcription(*spoken))
    assert [part.speaker for part in spoken_parts(told.segments)] == ["A", "B", "A"]


TIMES = st.tuples(st.floats(0, 6), st.floats(0, 6)).map(lambda pair: (min(pair), max(pair)))
WORDS = st.lists(st.tuples(st.text(" ab\n日"), TIMES).map(lambda one: (one[0], *one[1])), max_size=8)
TURNS = st.lists(st.tuples(TIMES, st.sampled_from("ABC")).map(lambda one: SpeakerTurn(*one[0], one[1])), max_size=8)


@given(st.lists(WORDS, max_size=4), TURNS)
def test_the_parts_together_are_the_text(
    spoken: list[list[tuple[str, float, float]]], turns: list[SpeakerTurn]
) -> None:
    found = transcription(*(segment(*words) for words in spoken))
    told = with_speakers(found, turns)
    assert "".join(part.text for part in spoken_parts(told.segments)) == found.text == told.text
    assert all(part.speaker in "ABC" for part in spoken_parts(told.segments))


@given(WORDS, TURNS.filter(bool))
def test_nobody_has_more_of_a_word_than_its_speaker(
    words: list[tuple[str, float, float]], turns: list[SpeakerTurn]
) -> None:
    [spoken] = with_speakers(transcription(segment(*words)), turns).segments
    for word in spoken.words:
        common = [(min(word.end, turn.end) - max(word.start, turn.start), turn.speaker) for turn in turns]
        most = max(seconds for seconds, _ in common)
        assert word.speaker in {speaker for seconds, speaker in common if seconds == most}
