"""Speech begins at a threshold, ends with a silence, and is asked of the model in as few windows as it takes."""

from __future__ import annotations

import numpy as np
import pytest

from whisper_runtime.engine.speech.spans import (
    FRAME_SECONDS,
    Span,
    SpeechDetection,
    clips,
    spared_windows,
    speech_spans,
)

QUIET, UNSURE, LOUD = 0.1, 0.4, 0.9
EXACT = SpeechDetection(min_silence_duration_ms=100, speech_pad_ms=0)


def found(detection: SpeechDetection, *parts: tuple[float, float]) -> list[tuple[float, float]]:
    """The speech in a recording of these parts: a probability, and seconds."""
    frames = [np.full(round(seconds / FRAME_SECONDS), value, np.float32) for value, seconds in parts]
    all_frames = np.concatenate([np.zeros(0, np.float32), *frames])
    spans = speech_spans(all_frames, len(all_frames) * FRAME_SECONDS, detection)
    return [(round(span.start, 3), round(span.end, 3)) for span in spans]


@pytest.mark.parametrize(
    ("detection", "parts", "wanted"),
    [
        (EXACT, [], []),
        (EXACT, [(QUIET, 60.0)], []),
        (EXACT, [(UNSURE, 60.0)], []),
        (EXACT, [(LOUD, 3.2)], [(0, 3.2)]),
        (EXACT, [(QUIET, 3.2), (LOUD, 3.2), (QUIET, 3.2)], [(3.2, 6.4)]),
        (EXACT, [(LOUD, 3.2), (QUIET, 0.064), (LOUD, 3.2)], [(0, 6.464)]),
        (EXACT, [(LOUD, 3.2), (QUIET, 0.32), (LOUD, 3.2)], [(0, 3.2), (3.52, 6.72)]),
        (EXACT, [(LOUD, 3.2), (UNSURE, 3.2), (LOUD, 3.2)], [(0, 9.6)]),
        (SpeechDetection(0.3, speech_pad_ms=0), [(UNSURE, 3.2)], [(0, 3.2)]),
        (SpeechDetection(neg_threshold=0.5, min_silence_duration_ms=100, speech_pad_ms=0),
         [(LOUD, 3.2), (UNSURE, 3.2), (LOUD, 3.2)], [(0, 3.2), (6.4, 9.6)]),
        (SpeechDetection(min_silence_duration_ms=3000, speech_pad_ms=0),
         [(LOUD, 3.2), (QUIET, 1.6), (LOUD, 3.2), (QUIET, 4.8)], [(0, 8.0)]),
        (SpeechDetection(min_speech_duration_ms=250, min_silence_duration_ms=100, speech_pad_ms=0),
         [(LOUD, 0.224), (QUIET, 3.2), (LOUD, 0.288), (QUIET, 3.2)], [(3.424, 3.712)]),
        # Pads end at the recording's ends, and halfway to the next speech.
        (SpeechDetection(), [(QUIET, 0.32), (LOUD, 3.2), (QUIET, 0.16)], [(0, 3.68)]),
        (SpeechDetection(), [(QUIET, 3.2), (LOUD, 3.2), (QUIET, 3.2)], [(2.8, 6.8)]),
        (SpeechDetection(min_silence_duration_ms=100), [(LOUD, 3.2), (QUIET, 0.32), (LOUD, 3.2)],
         [(0, 3.36), (3.36, 6.72)]),
        # Speech that is too long is cut where it is least likely, in the later half of what it may last.
        (SpeechDetection(max_speech_duration_s=10, speech_pad_ms=0),
         [(LOUD, 1.6), (0.6, 0.032), (LOUD, 6.4), (0.6, 0.032), (LOUD, 6.4)], [(0, 8.032), (8.032, 14.464)]),
    ],
)  # fmt: skip
def test_speech(
    detection: SpeechDetection, parts: list[tuple[float, float]], wanted: list[tuple[float, float]]
) -> None:
    assert found(detection, *parts) == wanted


def test_no_piece_is_longer_than_speech_may_be_with_its_pads() -> None:
    spans = found(SpeechDetection(max_speech_duration_s=7), (QUIET, 3.2), (LOUD, 100.0), (QUIET, 3.2))
    assert max(end - start for start, end in spans) <= 7
    assert (spans[0][0], spans[-1][1]) == (2.8, 103.6)


@pytest.mark.parametrize(
    ("spans", "wanted"),
    [
        ([], []),
        ([(5, 9)], [(5, 9)]),
        # One window reads both.
        ([(1, 5), (20, 31)], [(1, 31)]),
        ([(1, 5), (20, 32)], [(1, 5), (20, 32)]),
        # Two windows in place of three.
        ([(0, 40), (50, 60)], [(0, 60)]),
        ([(0, 40), (50, 61)], [(0, 40), (50, 61)]),
        # An hour of silence is none of them.
        ([(0, 10), (3600, 3610), (3612, 3620)], [(0, 10), (3600, 3620)]),
    ],
)
def test_neighbours_are_one_clip_where_that_saves_a_window(
    spans: list[tuple[float, float]], wanted: list[tuple[float, float]]
) -> None:
    assert clips([Span(*span) for span in spans], SpeechDetection()) == wanted


def test_no_clip_is_longer_than_speech_may_be() -> None:
    assert clips([Span(1, 5), Span(7, 12)], SpeechDetection(max_speech_duration_s=10)) == [(1, 5), (7, 12)]


@pytest.mark.parametrize(
    ("parts", "duration", "windows"),
    [
        ([], 3600, 120),
        ([], 1, 1),
        ([(0, 60)], 60, 0),
        ([(0, 10), (3600, 3620)], 3630, 119),
        ([(0, 10), (30.5, 40), (59, 60)], 60, 0),  # no fewer than none
    ],
)
def test_windows_that_the_model_is_spared(parts: list[tuple[float, float]], duration: float, windows: int) -> None:
    assert spared_windows([Span(*part) for part in parts], duration) == windows
