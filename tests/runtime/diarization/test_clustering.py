"""How many speakers there are, in voices that are made up."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tests.support.made_up_voices import WIDTH, made_up
from whisper_runtime.diarization.clustering import (
    BLOCK,
    Vectors,
    are_two_speakers,
    likeness,
    middle,
    speaker_centres,
)
from whisper_runtime.diarization.embedding import Voices
from whisper_runtime.diarization.ge2e import SCALE
from whisper_runtime.diarization.interface import SpeakerBounds

ANY = SpeakerBounds()


def centres(voices: Voices, bounds: SpeakerBounds = ANY) -> Vectors:
    """Of windows each of which is a span of its own."""
    return speaker_centres(np.split(voices, len(voices)), bounds, SCALE)


def are_told_apart(voices: Voices, who: list[int], bounds: SpeakerBounds = ANY) -> bool:
    """Whether windows are nearest to one centre exactly where they are one speaker's."""
    nearest = likeness(voices, centres(voices, bounds)).argmax(axis=1).tolist()
    return len(set(zip(who, nearest, strict=True))) == len(set(who)) == len(set(nearest))


@pytest.mark.parametrize("sizes", [[40], [30, 30], [90, 9], [10, 20, 30, 40], [12] * 20, [1]])
def test_as_many_speakers_are_found_as_there_are(sizes: list[int]) -> None:
    assert are_told_apart(*made_up(sizes))


def test_a_recording_of_many_blocks_has_the_same_speakers_in_all() -> None:
    assert are_told_apart(*made_up([2 * BLOCK, BLOCK, BLOCK // 2, 30]))


def test_a_rare_speaker_is_one_who_is_clearly_another() -> None:
    assert len(centres(made_up([300, 300, 10])[0])) == 3


def test_a_few_windows_that_are_rather_like_a_speaker_are_that_speakers() -> None:
    assert len(centres(made_up([300, 300, 10], last_like_first=0.8)[0])) == 2
    assert len(centres(made_up([300, 300, 60], last_like_first=0.8)[0])) == 3


def test_a_few_odd_windows_are_no_speaker() -> None:
    assert len(centres(made_up([30, 30, 4])[0])) == 2


@pytest.mark.parametrize(("bounds", "found"), [((3, 3), 3), ((1, 2), 2), ((2, 32), 5), ((5, 5), 5)])
def test_the_number_of_speakers_stays_within_its_bounds(bounds: tuple[int, int], found: int) -> None:
    assert len(centres(made_up([20] * 5)[0], SpeakerBounds(*bounds))) == found


def test_a_number_that_is_given_is_found_among_few_windows_too() -> None:
    voices, who = made_up([30, 4])
    assert len(centres(voices)) == 1
    assert are_told_apart(voices, who, SpeakerBounds(2, 2))
    assert are_told_apart(*made_up([4, 4]), SpeakerBounds(2, 2))


def test_more_speakers_than_may_be_found_are_joined_in_a_long_recording_too() -> None:
    voices, _ = made_up([BLOCK // 10] * 40)
    assert len(centres(voices)) <= ANY.most


def test_forty_speakers_are_as_many_as_may_be_found() -> None:
    assert len(centres(made_up([12] * 40)[0])) == ANY.most


def test_four_hours_take_little_more_memory_than_one() -> None:
    """Half precision alone grows with the recording: 512 bytes a window, which are kept twice."""
    peaks = list[int]()
    for hours in (1, 4):
        voices, _ = made_up([hours * 9000 // 3] * 3)
        spans = np.split(voices, len(voices) // 10)
        tracemalloc.start()
        assert len(speaker_centres(spans, ANY, SCALE)) == 3
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 27_000 * 512 * 3
    assert peaks[1] < 150 * 1024**2


def test_voices_that_the_network_could_not_tell_are_one_speaker() -> None:
    assert len(centres(np.zeros((50, WIDTH), np.float16))) == 1


def test_centres_have_length_1() -> None:
    assert np.linalg.norm(centres(made_up([9, 9])[0]), axis=1) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("sizes", "two"), [([8], False), ([1], False), ([5, 5], True), ([3, 9], True), ([2, 9], False)]
)
def test_a_reference_of_two_voices_is_told_from_one_of_one(sizes: list[int], two: bool) -> None:
    assert are_two_speakers(made_up(sizes)[0], SCALE) is two


def test_the_middle_of_one_speakers_windows_is_near_all_of_them() -> None:
    voices, _ = made_up([12])
    assert (voices @ middle(voices)).min() > 0.75
    assert np.linalg.norm(middle(voices)) == pytest.approx(1, abs=1e-4)
