"""What a request may leave unsaid about speakers."""

from __future__ import annotations

from whisper_runtime.diarization.interface import SpeakerBounds


def test_any_number_of_speakers_up_to_32_is_looked_for_unless_somebody_says_otherwise() -> None:
    assert SpeakerBounds() == SpeakerBounds(least=1, most=32)
