"""Who speaks when, from windows that are alike."""

from __future__ import annotations

import itertools

import numpy as np

from whisper_runtime.diarization.turns import Stretch, stretches
from whisper_runtime.diarization.windows import windows_of
from whisper_runtime.engine.speech.network import Probabilities
from whisper_runtime.engine.speech.spans import FRAME_SECONDS, Span


def who(spans: list[Span], speakers: list[list[int]], pauses: tuple[float, ...] = ()) -> list[Stretch]:
    """Of spans whose windows are clearly of these speakers; at `pauses` speech is less likely."""
    windows = [windows_of(span)[::2] for span in spans]  # 0.8 s apart
    assert [len(some) for some in windows] == [len(some) for some in speakers]
    likeness = np.eye(3, dtype=np.float32)[[speaker for some in speakers for speaker in some]]
    return stretches(spans, windows, likeness, certain(spans[-1].end, pauses))


def certain(seconds: float, pauses: tuple[float, ...]) -> Probabilities:
    probabilities = np.ones(round(seconds / FRAME_SECONDS) + 1, np.float32)
    for pause in pauses:
        probabilities[round(pause / FRAME_SECONDS)] = 0.4
    return probabilities


def test_a_span_of_one_speaker_is_one_stretch() -> None:
    assert who([Span(1.0, 4.2)], [[1, 1, 1]]) == [Stretch(1.0, 4.2, 1)]


def test_a_short_pause_ends_no_turn_and_a_long_one_does() -> None:
    spans = [Span(1.0, 2.0), Span(2.4, 3.0), Span(4.0, 5.0)]
    assert who(spans, [[0], [0], [0]]) == [Stretch(1.0, 3.0, 0), Stretch(4.0, 5.0, 0)]


def test_another_speaker_after_a_pause_is_another_stretch() -> None:
    assert who([Span(1.0, 2.0), Span(2.2, 3.0)], [[0], [2]]) == [Stretch(1.0, 2.0, 0), Stretch(2.2, 3.0, 2)]


def test_speakers_change_where_speech_is_least_likely() -> None:
    before, after = who([Span(0.0, 4.8)], [[0, 0, 1, 1, 1]], pauses=(1.75,))
    assert (before.speaker, after.speaker, before.end) == (0, 1, after.start)
    assert abs(before.end - 1.75) < FRAME_SECONDS


def test_two_speak_at_once_where_they_change_and_nobody_pauses() -> None:
    assert [one.overlaps for one in who([Span(0.0, 4.8)], [[0, 0, 1, 1, 1]])] == [False, True]
    assert [one.overlaps for one in who([Span(0.0, 4.8)], [[0, 0, 1, 1, 1]], pauses=(1.75,))] == [False, False]
    assert not any(one.overlaps for one in who([Span(1.0, 2.0), Span(2.2, 3.0)], [[0], [2]]))


def test_a_change_is_looked_for_near_the_windows_that_differ() -> None:
    before, after = who([Span(0.0, 4.8)], [[0, 0, 1, 1, 1]], pauses=(0.3, 4.4))
    assert before.end == after.start
    assert 1.2 < before.end < 2.8


def test_the_stretches_of_a_span_cover_it_in_order() -> None:
    found = who([Span(0.0, 8.8)], [[0, 1, 0, 0, 2, 2, 2, 1, 1, 1]])
    assert found[0].start == 0.0
    assert found[-1].end == 8.8
    assert all(one.start < one.end for one in found)
    assert all(before.end == after.start for before, after in itertools.pairwise(found))
