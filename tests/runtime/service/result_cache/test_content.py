"""What is kept is read back as it was."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.fakes.engine import SEGMENT, SPOKEN
from whisper_runtime.media.track_taken import TrackTaken
from whisper_runtime.service.result_cache.content import KnownAudio, KnownResult


@pytest.mark.parametrize("track", [None, TrackTaken(1, "opus", "stereo", "deu")])
def test_audio_with_its_track(track: TrackTaken | None) -> None:
    audio = KnownAudio("a" * 64, track)
    assert KnownAudio.from_json(audio.to_json()) == audio


def test_a_result_with_its_words_and_with_a_score_that_is_not_finite() -> None:
    found = replace(SPOKEN, segments=(SEGMENT, replace(SEGMENT, id=1, avg_logprob=-math.inf)), channels=2)
    result = KnownResult(found, (1, 1), 0.25)
    assert KnownResult.from_json(result.to_json()) == result


def test_segments_are_replayed_as_they_became_final() -> None:
    first, second, third = (replace(SEGMENT, id=number) for number in range(3))
    result = KnownResult(replace(SPOKEN, segments=(first, second, third)), (2, 1), 0.0)
    assert list(result.replay()) == [(first, second), (third,)]


@pytest.mark.parametrize("kind", [KnownAudio, KnownResult])
def test_what_is_no_such_content_is_an_error(kind: type[KnownAudio | KnownResult]) -> None:
    with pytest.raises(ValueError, match="missing"):
        kind.from_json(b"{}")
