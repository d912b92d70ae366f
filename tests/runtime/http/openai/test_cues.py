"""Cues that every editor takes: with text, with length, inside the file, in order, without overlap."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whisper.utils import WriteSRT, WriteVTT

from tests.fakes.spoken import recording, said, segment, written
from whisper_runtime.engine.transcription import Segment, Word
from whisper_runtime.http.openai.cues import FRAME_MS, Cue, cues_of, is_visible
from whisper_runtime.http.openai.lines import LineLimits
from whisper_runtime.http.openai.subtitles import srt, vtt


def times(*segments: Segment, duration: float = 60.0) -> list[tuple[int, int]]:
    return [(cue.start, cue.end) for cue in cues_of(recording(*segments, duration=duration), None)]


def texts(*of_segments: str) -> list[str]:
    segments = [segment(number, number + 1, text) for number, text in enumerate(of_segments)]
    return [cue.text for cue in cues_of(recording(*segments), None)]


@pytest.mark.parametrize(
    ("spoken", "shown"),
    [
        # In order already: as they are, gaps too.
        ([(0.0, 2.5), (2.5, 4.0), (5.02, 5.08)], [(0, 2500), (2500, 4000), (5020, 5080)]),
        # Past the end of the file, of 10 s.
        ([(8.0, 30.0)], [(8000, 10_000)]),
        ([(8.0, 9.0), (12.0, 30.0)], [(8000, 9000), (9958, 10_000)]),
        ([(8.0, 10.0), (12.0, 30.0)], [(8000, 9958), (9958, 10_000)]),
        # Before its start.
        ([(-1.0, 2.0)], [(0, 2000)]),
        ([(-3.0, -2.0), (0.0, 2.0)], [(0, 42), (42, 2000)]),
        # Over each other: the first ends where the second begins.
        ([(0.0, 3.0), (2.0, 4.0)], [(0, 2000), (2000, 4000)]),
        ([(0.0, 9.0), (2.0, 4.0), (5.0, 6.0)], [(0, 2000), (2000, 4000), (5000, 6000)]),
        ([(2.0, 3.0), (2.0, 3.0)], [(2000, 2042), (2042, 3000)]),
        # The text of one part of the file after the beginning of the next part.
        ([(0.0, 2.0), (9.0, 9.5), (3.0, 4.0), (4.0, 5.0)], [(0, 2000), (3000, 3042), (3042, 4000), (4000, 5000)]),
        # Without length.
        ([(2.0, 2.0)], [(2000, 2042)]),
        ([(1.0, 2.0), (2.0, 2.0), (2.0, 3.0)], [(1000, 2000), (2000, 2042), (2042, 3000)]),
        ([(3.0, 2.0)], [(3000, 3042)]),
        ([(10.0, 10.0)], [(9958, 10_000)]),
        ([(5.0, 5.0004), (5.0, 6.0)], [(5000, 5042), (5042, 6000)]),
    ],
)
def test_times(spoken: Sequence[tuple[float, float]], shown: list[tuple[int, int]]) -> None:
    assert times(*(segment(*one) for one in spoken), duration=10.0) == shown


@pytest.mark.parametrize(("duration", "end"), [(3.3, 3300), (3.33339, 3333), (2.3, 2300), (11.0, 11_000)])
def test_no_cue_ends_after_the_file(duration: float, end: int) -> None:
    assert times(segment(0.0, 30.0), duration=duration) == [(0, end)]


def test_a_file_that_is_shorter_than_its_frames_shares_its_time_out() -> None:
    assert times(*[segment(0.0, 0.0)] * 5, duration=0.1) == [(0, 20), (20, 40), (40, 60), (60, 80), (80, 100)]


def test_more_texts_than_milliseconds_are_shown_at_once() -> None:
    found = recording(segment(0.0, 1.0, " One."), segment(1.0, 2.0, " Two."), duration=0.001)
    assert cues_of(found, None) == [Cue(0, 1, "One.\nTwo.")]


def test_a_file_without_length_has_no_cues() -> None:
    assert times(segment(0.0, 1.0), duration=0.0) == []


@pytest.mark.parametrize(
    ("spoken", "shown"),
    [
        (" Ask not. ", "Ask not."),
        (" this --> that ", "this -> that"),
        ("a ---> b", "a -> b"),
        ("one\n\ntwo\r\n \r\nthree", "one\ntwo\nthree"),
        ("one\u2028two\u0085three\x0bfour", "one\ntwo\nthree\nfour"),
        ("nul\0 and bell\a", "nul and bell"),
        ("AT&T <i> a < b", "AT&T <i> a < b"),
        ("♪♪", "♪♪"),
        (" ...", "..."),
        ("1984", "1984"),
        ("👩\u200d👧", "👩\u200d👧"),
    ],
)
def test_text(spoken: str, shown: str) -> None:
    assert texts(spoken) == [shown]


@pytest.mark.parametrize("blank", ["", " ", "\n\t ", "\0", "\u200b", "\ufeff", "\u00a0", "\u3164", "\u2800", "\u0301"])
def test_a_text_without_a_visible_character_has_no_cue(blank: str) -> None:
    assert texts(" One.", blank, " Two.") == ["One.", "Two."]


def test_words_may_have_no_length_too() -> None:
    words = Word(" I", 1.0, 1.0, 0.9), Word(" am.", 1.0, 1.4, 0.9)
    found = cues_of(recording(segment(1.0, 1.4, " I am.", *words)), LineLimits(max_words_per_line=1))
    assert found == [Cue(1000, 1042, "I"), Cue(1042, 1400, "am.")]


SECONDS = st.one_of(st.floats(-5, 400), st.sampled_from([0.0, 5.0, 5.0, 9.98, 10.0, 1e6]))
TEXTS = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("ab ->&<\n\r\0\u200b♪"))) | st.just(" --> ")
SEGMENTS = st.lists(st.builds(segment, SECONDS, SECONDS, TEXTS), max_size=12)
DURATIONS = st.sampled_from([0.05, 0.5, 10.0, 30.02, 400_000.0])


def letters(text: str) -> str:
    """What of `text` can be seen, without the arrows that readers take for times."""
    return "".join(one for one in text if is_visible(one)).replace("-", "").replace(">", "")


@given(SEGMENTS, DURATIONS, st.sampled_from([None, LineLimits(10, 2), LineLimits(max_words_per_line=2)]))
def test_whatever_the_model_says(segments: list[Segment], duration: float, limits: LineLimits | None) -> None:
    if limits:
        segments = [
            segment(one.start, one.end, one.text, *(Word(word, one.start, one.end, 0.5) for word in one.text.split()))
            for one in segments
        ]
    cues = cues_of(recording(*segments, duration=duration), limits)
    assert all(0 <= cue.start < cue.end <= duration * 1000 for cue in cues)
    assert all(before.end <= cue.start for before, cue in pairwise(cues))
    assert all(is_visible(line) and line == line.strip() for cue in cues for line in cue.text.split("\n"))
    assert not any("-->" in cue.text for cue in cues)
    if len(cues) * FRAME_MS <= duration * 1000:
        assert all(cue.end - cue.start >= FRAME_MS for cue in cues)
    assert letters("".join(cue.text for cue in cues)) == letters("".join(one.text for one in segments))


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.05, 30), st.text("abc é.", min_size=1)), max_size=8))
def test_what_is_right_is_as_whispers_writers_write_it(spoken: list[tuple[float, float, str]]) -> None:
    clock, segments = 0.0, list[Segment]()
    for pause, seconds, text in spoken:
        start = clock + pause
        clock = start + seconds
        if text.strip():
            segments.append(segment(start, clock, text))
    cues = cues_of(recording(*segments, duration=clock + 1), None)
    assert srt(cues) == written(WriteSRT, segments)
    assert vtt(cues) == written(WriteVTT, segments)


def test_limits_are_those_of_words_and_without_them_each_segment_is_a_cue() -> None:
    found = recording(said("Ask not what."))
    assert [cue.text for cue in cues_of(found, None)] == ["Ask not what."]
    assert [cue.text for cue in cues_of(found, LineLimits(max_words_per_line=2))] == ["Ask not", "what."]
