"""An encoder's thresholds lie between what one speaker comes to and what two do."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.made_up_voices import made_up
from whisper_runtime.diarization.calibration import Between, TooLittleSpeech, calibrate
from whisper_runtime.diarization.clustering import are_two_speakers, middle, speaker_centres
from whisper_runtime.diarization.embedding import Voices
from whisper_runtime.diarization.interface import SpeakerBounds

SPAN = 10
"""Windows of a span of speech."""


def speaking(speakers: int, windows: int, seed: int = 1, noise: float = 1.2) -> list[Voices]:
    """The voices of speakers with so many windows each: here they are less alike than resemblyzer's."""
    voices, who = made_up([windows] * speakers, seed, noise)
    return [voices[np.array(who) == speaker] for speaker in range(speakers)]


def spans_of(voices: Voices) -> list[Voices]:
    return np.split(voices, range(SPAN, len(voices), SPAN))


def test_with_them_speakers_are_told_apart_whom_no_threshold_was_chosen_with() -> None:
    found = calibrate({str(at): spans_of(one) for at, one in enumerate(speaking(4, 100))})
    others = speaking(3, 60, seed=2)
    spans = [span for one in others for span in spans_of(one)]
    assert len(speaker_centres(spans, SpeakerBounds(), found.scale)) == 3
    assert len(speaker_centres(spans_of(others[0]), SpeakerBounds(), found.scale)) == 1
    assert not are_two_speakers(others[0][:20], found.scale)
    assert are_two_speakers(np.concatenate([others[0][:10], others[1][:10]]), found.scale)
    assert middle(others[0][:20]) @ middle(others[0][20:]) > found.scale.same > middle(others[0]) @ middle(others[1])


def test_voices_that_are_too_much_alike_are_told() -> None:
    assert Between(one=0.8, two=0.3).tells
    [one] = speaking(1, 200)
    found = calibrate({"one": spans_of(one[:100]), "the same": spans_of(one[100:])})
    assert not found.of_a_reference.tells
    assert not found.same.tells


@pytest.mark.parametrize(
    ("windows", "says"),
    [
        ([100], "there are 1 speakers, and at least 2 are needed"),
        ([100, 5], "1 has 5 windows of speech, and 10 are needed"),
    ],
)
def test_too_little_is_told_with_what_is_needed(windows: list[int], says: str) -> None:
    with pytest.raises(TooLittleSpeech, match=says):
        calibrate({str(at): spans_of(speaking(1, some)[0]) for at, some in enumerate(windows)})
