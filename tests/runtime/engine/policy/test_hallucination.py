"""Improbable words amid silence are hallucinations; probable ones, and those amid speech, are not."""

from __future__ import annotations

import pytest

from whisper_runtime.engine.policy.hallucination import WindowSpan, first_hallucination, leading_silence
from whisper_runtime.engine.policy.segments import WindowSegment, WindowWord

SPAN = WindowSpan(start=100.0, duration=30.0, end=130.0, file_end=300.0, last_speech=95.0)
THRESHOLD = 2.0


def segment(start: float, end: float, probability: float = 0.9) -> WindowSegment:
    return WindowSegment(start, end, " word", (), (), [WindowWord(" word", start, end, probability)])


def odd(start: float, end: float) -> WindowSegment:
    return segment(start, end, probability=0.05)


@pytest.mark.parametrize(
    ("first", "gap"),
    [
        (odd(105.0, 105.5), 5.0),
        (odd(101.0, 101.5), None),  # too little silence
        (segment(105.0, 105.5), None),  # probable
        (segment(105.0, 108.5), 5.0),  # a word of 3.5 s
        (segment(105.0, 105.01), 5.0),  # a word of 10 ms
    ],
)
def test_silence_before_an_anomaly_is_skipped(first: WindowSegment, gap: float | None) -> None:
    assert leading_silence([first], SPAN, THRESHOLD) == gap


def test_without_words_there_is_no_anomaly() -> None:
    empty = WindowSegment(105.0, 106.0, "", (), ())
    assert leading_silence([empty], SPAN, THRESHOLD) is None
    assert first_hallucination([empty], SPAN, THRESHOLD) is None


@pytest.mark.parametrize(
    ("segments", "found"),
    [
        ([segment(100.0, 103.0, 0.9), segment(103.0, 104.0)], None),
        ([segment(100.5, 101.0), odd(110.0, 110.5), segment(120.0, 121.0)], (1, 11000)),
        ([segment(109.0, 109.9), odd(110.0, 110.5), segment(110.6, 111.0)], None),  # amid speech
        ([odd(128.9, 129.0)], (0, 12890)),
    ],
)
def test_an_anomaly_amid_silence_is_a_hallucination(
    segments: list[WindowSegment], found: tuple[int, int | None] | None
) -> None:
    assert first_hallucination(segments, SPAN, THRESHOLD) == found


def test_at_the_end_of_the_file_nothing_is_decoded_again() -> None:
    span = WindowSpan(start=100.0, duration=30.0, end=130.0, file_end=130.0, last_speech=95.0)
    assert first_hallucination([odd(128.9, 129.0)], span, THRESHOLD) == (0, None)
