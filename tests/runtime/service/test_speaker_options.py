"""What is asked of speakers, and what of it decides the result."""

from __future__ import annotations

from dataclasses import replace

from whisper_runtime.diarization.interface import SpeakerBounds
from whisper_runtime.service.speaker_options import SpeakerOptions, SpeakerReference

ADA = SpeakerReference("Ada", "1" * 64, b"voice", "audio/wav")
ASKED = SpeakerOptions(SpeakerBounds(1, 4), (ADA,))


def test_names_voices_and_bounds_decide_the_result() -> None:
    others = [
        replace(ASKED, bounds=SpeakerBounds(2, 4)),
        replace(ASKED, bounds=SpeakerBounds(1, 3)),
        replace(ASKED, references=(replace(ADA, name="Bob"),)),
        replace(ASKED, references=(replace(ADA, digest="2" * 64),)),
        replace(ASKED, references=()),
    ]
    assert len({ASKED.key, *(other.key for other in others)}) == 6


def test_what_is_kept_has_no_voice_and_decides_the_same() -> None:
    kept = ASKED.without_content()
    assert (kept.references[0].content, kept.references[0].name) == (b"", "Ada")
    assert kept.key == ASKED.key


def test_a_voice_is_in_no_log() -> None:
    assert "voice" not in repr(ASKED)
