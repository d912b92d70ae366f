"""Which samples of a voice are taken, and who is a known speaker."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.made_up_voices import made_up
from whisper_runtime.diarization.clustering import Vectors
from whisper_runtime.diarization.embedding import VoiceScale
from whisper_runtime.diarization.interface import UnusableReference
from whisper_runtime.diarization.references import anchor, check_speech, named
from whisper_runtime.engine.speech.spans import Span

SCALE = VoiceScale(of_long=0.9, of_short=0.76, of_a_reference=0.69, same=0.86)
NEAR = SCALE.same + 0.01
FAR = SCALE.same - 0.01


def likenesses(*of_each: list[float]) -> Vectors:
    """Of speakers, with each of the known ones."""
    return np.array(of_each, np.float32)


def test_a_reference_without_speech_is_named() -> None:
    with pytest.raises(UnusableReference, match="'Ann' holds no speech"):
        check_speech("Ann", [])


def test_a_reference_with_too_little_speech_says_how_much_there_is() -> None:
    with pytest.raises(UnusableReference, match=r"'Ann' holds 0\.9 s of speech, and at least"):
        check_speech("Ann", [Span(0.0, 0.5), Span(1.0, 1.4)])


def test_a_reference_with_enough_speech_is_taken_whatever_pauses_it_has() -> None:
    check_speech("Ann", [Span(0.0, 1.0), Span(4.0, 5.0)])


def test_a_reference_with_two_speakers_is_named() -> None:
    with pytest.raises(UnusableReference, match="'Ann' holds two speakers"):
        anchor("Ann", made_up([5, 5])[0], SCALE)


def test_a_references_anchor_is_the_middle_of_its_windows() -> None:
    voices, _ = made_up([6])
    assert (voices @ anchor("Ann", voices, SCALE)).min() > 0.7


def test_a_speaker_who_is_like_a_reference_is_the_known_one() -> None:
    assert named(likenesses([NEAR, 0.0]), SCALE) == {0: 0}


def test_a_speaker_who_is_not_like_enough_stays_unknown() -> None:
    assert named(likenesses([FAR, 0.0]), SCALE) == {}


def test_of_two_speakers_who_are_like_one_reference_the_more_alike_has_its_name() -> None:
    assert named(likenesses([NEAR, 0.0], [0.99, 0.0]), SCALE) == {1: 0}


@pytest.mark.parametrize("nothing", [np.zeros((0, 2), np.float32), np.zeros((2, 0), np.float32)])
def test_nobody_is_known_without_speakers_or_references(nothing: Vectors) -> None:
    assert named(nothing, SCALE) == {}
