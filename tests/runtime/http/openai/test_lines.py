"""Words are put into lines and cues as openai-whisper's command line does."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper.utils import WriteSRT, WriteVTT

from tests.fakes.spoken import recording, said, segment, written
from whisper_runtime.engine.transcription import Segment, Word
from whisper_runtime.http.openai.cues import cues_of
from whisper_runtime.http.openai.lines import LineLimits, texts_of_words
from whisper_runtime.http.openai.subtitles import srt, vtt

ASK = said("And so, my fellow Americans,"), said("ask not what your country can do for you.", 3.0)
LATER = (*ASK, said("Ask what you can do.", 12.0))


@pytest.mark.parametrize(
    ("limits", "texts"),
    [
        (
            LineLimits(max_words_per_line=4),
            ["And so, my fellow", "Americans,", "ask not what your", "country can do for", "you."],
        ),
        (
            LineLimits(max_line_width=16),
            ["And so, my\nfellow\nAmericans,", "ask not what\nyour country can\ndo for you."],
        ),
        (
            LineLimits(max_line_width=16, max_line_count=2),
            ["And so, my\nfellow", "Americans, ask\nnot what your", "country can do\nfor you."],
        ),
        (
            LineLimits(max_line_width=40, max_line_count=1),
            ["And so, my fellow Americans, ask not", "what your country can do for you."],
        ),
        (
            LineLimits(max_line_width=16, max_words_per_line=4),
            ["And so, my\nfellow", "Americans,", "ask not what\nyour", "country can do\nfor", "you."],
        ),
    ],
)
def test_a_cue_keeps_to_its_limits(limits: LineLimits, texts: list[str]) -> None:
    assert [found.text for found in texts_of_words(ASK, limits)] == texts


def test_a_long_pause_ends_a_cue() -> None:
    limits = LineLimits(max_line_width=100, max_line_count=2)
    assert [(found.start, found.end) for found in texts_of_words(LATER, limits)] == [(0.0, 7.5), (12.0, 14.5)]


def test_a_word_that_is_longer_than_a_line_is_not_cut() -> None:
    found = texts_of_words([said("a Donaudampfschifffahrt b")], LineLimits(max_line_width=5))
    assert [text.text for text in found] == ["a\nDonaudampfschifffahrt\nb"]


def test_words_of_a_tongue_without_spaces_are_joined_without_them() -> None:
    words = [Word(word, number, number + 1, 0.9) for number, word in enumerate(("国", "を", "愛", "する"))]
    found = texts_of_words([segment(0, 4, "国を愛する", *words)], LineLimits(max_words_per_line=3))
    assert [text.text for text in found] == ["国を愛", "する"]


LIMITS = [
    LineLimits(max_line_width=42),
    LineLimits(max_line_width=42, max_line_count=2),
    LineLimits(max_line_width=20, max_line_count=1),
    LineLimits(max_line_width=1, max_line_count=1),
    LineLimits(max_line_width=10, max_words_per_line=3),
    LineLimits(max_words_per_line=1),
    LineLimits(max_words_per_line=7),
]
WORDS = st.lists(
    st.tuples(
        st.text("abcdé", min_size=1, max_size=12),
        st.sampled_from([0.06, 0.2, 0.48, 1.5]),
        st.sampled_from([0.0, 0.0, 0.02, 0.5, 3.1, 7.0]),
    ),
    min_size=1,
    max_size=9,
)


@st.composite
def speech(draw: st.DrawFn) -> list[Segment]:
    """Segments of words in order, with pauses between them; some segments are without words, as silence is."""
    clock, found = 0.0, list[Segment]()
    for words in draw(st.lists(WORDS, min_size=1, max_size=5)):
        timed: list[Word] = []
        for text, seconds, pause in words:
            clock += pause
            timed.append(Word(f" {text}", round(clock, 2), round(clock + seconds, 2), 0.9))
            clock += seconds
        text = "".join(word.word for word in timed)
        found.append(segment(timed[0].start, timed[-1].end, text, *timed))
        if draw(st.booleans()):
            found.append(replace(found[-1], start=clock, end=clock, text="", words=()))
    return found


@settings(max_examples=40)
@given(speech())
def test_cues_are_those_of_whispers_writers(segments: list[Segment]) -> None:
    for limits in LIMITS:
        cues = cues_of(recording(*segments, duration=1000.0), limits)
        assert srt(cues) == written(WriteSRT, segments, **asdict(limits))
        assert vtt(cues) == written(WriteVTT, segments, **asdict(limits))
