"""Who speaks when in real speech, with the real weights; and what is said of recordings in which nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.diarization.dialogues import by_telephone
from benchmarks.diarization.kinds import Sound, as_it_is
from benchmarks.parity import sounds
from testbed import wheels
from whisper_runtime.diarization.diarizer import VoiceDiarizer
from whisper_runtime.diarization.ge2e import SCALE
from whisper_runtime.diarization.interface import (
    Cancelled,
    Diarizer,
    KnownSpeaker,
    SpeakerBounds,
    SpeakerTurn,
    UnusableReference,
)
from whisper_runtime.diarization.load import load_diarizer
from whisper_runtime.engine.interface import Samples

ANY = SpeakerBounds()
PAUSE = sounds.silence(0.3)


class OneVoice:
    """An EmbeddingModel to which all windows sound alike."""

    scale = SCALE

    def embeddings(self, pieces: Samples) -> npt.NDArray[np.float32]:
        return np.tile(np.float32([1, 0]), (len(pieces), 1))


def never() -> bool:
    return False


def kennedy(start: float, end: float) -> Samples:
    return sounds.cut(sounds.voice("jfk"), start, end)


def reader(start: float, end: float) -> Samples:
    """Of the 25 s of LibriVox's reader."""
    return sounds.cut(sounds.join(*map(sounds.voice, ("0870", "0890", "0920", "0930", "0880"))), start, end)


@cache
def real() -> Diarizer:
    return load_diarizer(str(wheels.ensure(wheels.RESEMBLYZER)))


def turns(samples: Samples, *known: KnownSpeaker, bounds: SpeakerBounds = ANY) -> Sequence[SpeakerTurn]:
    return real().turns(samples, bounds, known, is_cancelled=never)


def in_turns() -> tuple[Samples, list[tuple[str, float, float]]]:
    """Some 37 s of two speakers by turns, and who speaks from when to when."""
    lines = [
        ("R", reader(0, 7)),
        ("K", kennedy(0, 5.2)),
        ("R", reader(7, 18.4)),
        ("K", kennedy(5.2, 11)),
        ("R", reader(18.4, 25)),
    ]
    at, truth = 0.0, list[tuple[str, float, float]]()
    for speaker, line in lines:
        truth.append((speaker, at, at + len(line) / sounds.SAMPLE_RATE))
        at = truth[-1][2] + 0.3
    return sounds.join(*(piece for _, line in lines for piece in (line, PAUSE))), truth


def rightly(found: Sequence[SpeakerTurn], truth: Sequence[tuple[str, float, float]], names: dict[str, str]) -> float:
    """The part of the turns' time that is the right speaker's."""
    both = sum(
        max(0.0, min(turn.end, end) - max(turn.start, start))
        for turn in found
        for speaker, start, end in truth
        if turn.speaker == names[speaker]
    )
    return both / sum(turn.end - turn.start for turn in found)


@pytest.mark.slow
def test_two_speakers_by_turns_are_told_apart() -> None:
    samples, truth = in_turns()
    found = turns(samples)
    assert {turn.speaker for turn in found} == {"A", "B"}
    assert rightly(found, truth, {"R": "A", "K": "B"}) > 0.93


@pytest.mark.slow
def test_a_known_speaker_has_the_name_and_an_unknown_one_a_letter() -> None:
    samples, truth = in_turns()
    found = turns(samples, KnownSpeaker("Kennedy", kennedy(3, 11)))
    assert {turn.speaker for turn in found} == {"Kennedy", "A"}
    assert rightly(found, truth, {"K": "Kennedy", "R": "A"}) > 0.93


@pytest.mark.slow
@pytest.mark.parametrize(("of_recording", "of_reference"), [(by_telephone, as_it_is), (as_it_is, by_telephone)])
def test_a_known_speaker_has_the_name_where_the_reference_went_another_way(
    of_recording: Sound, of_reference: Sound
) -> None:
    samples, truth = in_turns()
    found = turns(of_recording(samples), KnownSpeaker("Reader", of_reference(reader(0, 8))))
    assert {turn.speaker for turn in found} == {"Reader", "A"}
    assert rightly(found, truth, {"R": "Reader", "K": "A"}) > 0.93


@pytest.mark.slow
def test_one_speaker_alone_is_one_unless_two_are_asked_for() -> None:
    alone = reader(0, 20)
    assert {turn.speaker for turn in turns(alone)} == {"A"}
    assert {turn.speaker for turn in turns(alone, bounds=SpeakerBounds(2, 2))} == {"A", "B"}


@pytest.mark.slow
def test_a_reference_of_two_speakers_is_named() -> None:
    both = sounds.join(kennedy(0, 5), reader(2, 7))
    with pytest.raises(UnusableReference, match="'Ann' holds two speakers"):
        turns(both, KnownSpeaker("Ann", both))


@pytest.mark.slow
def test_a_quiet_recording_is_a_recording() -> None:
    samples, _ = in_turns()
    assert {turn.speaker for turn in turns(samples * np.float32(0.002))} == {"A", "B"}


@pytest.mark.parametrize("samples", [sounds.silence(0), sounds.silence(5), sounds.hiss(5, 0.1)], ids=len)
def test_where_nobody_speaks_there_are_no_turns(samples: Samples) -> None:
    assert VoiceDiarizer(OneVoice(), "").turns(samples, ANY, (), is_cancelled=never) == []


@pytest.mark.slow
def test_music_is_nobody_or_one() -> None:
    seconds = np.arange(20 * sounds.SAMPLE_RATE) / sounds.SAMPLE_RATE
    chords = [sum(np.sin(2 * np.pi * note * seconds) for note in chord) for chord in ((220, 277, 330), (196, 247, 294))]
    music = np.where(seconds % 2 < 1, *chords) * 0.1 * (1 + 0.3 * np.sin(2 * np.pi * 5 * seconds))
    assert len({turn.speaker for turn in turns(music.astype(np.float32))}) <= 1


def test_a_reference_without_speech_is_named() -> None:
    ann = KnownSpeaker("Ann", sounds.hiss(3, 0.1))
    with pytest.raises(UnusableReference, match="'Ann' holds no speech"):
        VoiceDiarizer(OneVoice(), "").turns(ann.samples, ANY, (ann,), is_cancelled=never)


@pytest.mark.slow
def test_turns_are_in_order_and_within_the_recording() -> None:
    found = VoiceDiarizer(OneVoice(), "").turns(kennedy(0, 11), ANY, (), is_cancelled=never)
    assert [turn.start for turn in found] == sorted(turn.start for turn in found)
    assert all(0 <= turn.start < turn.end <= 11 for turn in found)
    assert {turn.speaker for turn in found} == {"A"}


def test_a_request_that_is_cancelled_ends_at_once() -> None:
    with pytest.raises(Cancelled):
        VoiceDiarizer(OneVoice(), "").turns(sounds.hiss(1, 0.1), ANY, (), is_cancelled=lambda: True)


@pytest.mark.slow
def test_it_tells_how_far_it_is_up_to_the_end() -> None:
    said = list[float]()
    VoiceDiarizer(OneVoice(), "").turns(kennedy(0, 11), ANY, (), is_cancelled=never, on_progress=said.append)
    assert (said, said[-1]) == (sorted(said), 11.0)


def test_a_recording_without_speech_is_done_with_too() -> None:
    said = list[float]()
    VoiceDiarizer(OneVoice(), "").turns(sounds.silence(5), ANY, (), is_cancelled=never, on_progress=said.append)
    assert said == [5.0]


@pytest.mark.slow
def test_speakers_whose_every_window_is_as_much_like_another_are_compared_with_known_ones_too() -> None:
    one_voice_thrice = VoiceDiarizer(OneVoice(), "", lambda *_: np.tile(np.float32([1, 0]), (3, 1)))
    known = (KnownSpeaker("Kennedy", kennedy(3, 11)),)
    assert one_voice_thrice.turns(kennedy(0, 11), ANY, known, is_cancelled=never)
