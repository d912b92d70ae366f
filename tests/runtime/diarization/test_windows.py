"""Where windows lie in a span of speech."""

from __future__ import annotations

import itertools

import pytest

from whisper_runtime.diarization.windows import LENGTH_SECONDS, STEP_SECONDS, windows_of
from whisper_runtime.engine.speech.spans import Span


@pytest.mark.parametrize("length", [0.15, 1.0, 1.6])
def test_a_short_span_is_one_window(length: float) -> None:
    assert windows_of(Span(3.0, 3.0 + length)) == [Span(3.0, 3.0 + length)]


@pytest.mark.parametrize("length", [1.61, 2.4, 2.41, 7.3, 1000.0])
def test_windows_reach_from_the_spans_start_to_its_end_in_even_steps(length: float) -> None:
    windows = windows_of(Span(3.0, 3.0 + length))
    steps = [after.start - before.start for before, after in itertools.pairwise(windows)]
    assert (windows[0].start, windows[-1].end) == pytest.approx((3.0, 3.0 + length))
    assert max(steps) <= STEP_SECONDS + 1e-6
    assert max(steps) - min(steps) < 1e-6
    assert {round(window.end - window.start, 6) for window in windows} == {LENGTH_SECONDS}
