"""What a request may leave unsaid about speakers."""

from __future__ import annotations

from whisper_runtime.diarization.interface import SpeakerBounds, SpeakerTurn


def test_any_number_of_speakers_up_to_32_is_looked_for_unless_somebody_says_otherwise() -> None:
    assert SpeakerBounds() == SpeakerBounds(least=1, most=32)


def test_a_turn_is_of_one_speaker_alone_unless_it_says_otherwise() -> None:
    assert not SpeakerTurn(0.0, 1.0, "A").overlaps
