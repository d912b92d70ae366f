"""An encoder that hears one voice for the other never serves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from whisper_runtime.contract.models import PACKAGED_ENCODERS, encoder_path
from whisper_runtime.diarization.ge2e import shapes
from whisper_runtime.diarization.interface import SpeakerBounds, SpeakerTurn
from whisper_runtime.diarization.load import load_diarizer
from whisper_runtime.engine.interface import Samples
from whisper_runtime.media import two_voices
from whisper_runtime.media.self_test import NotProven
from whisper_runtime.media.two_voices import TURNS, prove_speakers, told

LONGEST = 14.1


def found_by(path: Path | str, samples: Samples) -> Sequence[SpeakerTurn]:
    return load_diarizer(str(path)).turns(samples, SpeakerBounds(), (), is_cancelled=lambda: False)


@pytest.mark.parametrize("encoder", PACKAGED_ENCODERS)
def test_each_encoder_that_comes_with_the_runtime_tells_the_two_apart(encoder: str) -> None:
    prove_speakers(encoder, lambda samples: found_by(encoder_path("/models", encoder, None), samples))


@pytest.mark.parametrize("seed", range(3))
def test_one_of_random_numbers_does_not(tmp_path: Path, seed: int) -> None:
    torch.manual_seed(seed)
    state = {name: 0.06 * torch.randn(shape) for name, shape in shapes().items()}
    torch.save({"model_state": state}, tmp_path / "noise.pt")
    with pytest.raises(NotProven, match=r"encoder noise finds 1 speakers in a dialogue of two.*spec\.diarization"):
        prove_speakers("noise", lambda samples: found_by(tmp_path / "noise.pt", samples))


@pytest.mark.parametrize(
    ("turns", "speakers", "right", "is_right"),
    [
        ([(turn.start, turn.end, turn.speaker) for turn in TURNS], 2, 1.0, True),
        ([(0.0, 3.0, "A"), (3.0, 6.3, "B"), (6.3, 10.0, "A"), (10.0, LONGEST, "B")], 2, 1.0, True),
        ([(0.0, 3.0, "B"), (3.0, 6.3, "A"), (6.3, 10.0, "B"), (10.0, LONGEST, "A")], 2, 0.0, False),
        ([(0.0, 3.0, "A"), (3.0, 6.3, "B"), (6.3, 10.0, "A"), (10.0, LONGEST, "C")], 3, 0.73, False),
        ([(0.0, LONGEST, "A")], 1, 0.51, False),
        ([], 0, 0.0, False),
    ],
)
def test_what_is_right_is_counted_by_the_seconds_in_which_somebody_speaks(
    turns: list[tuple[float, float, str]], speakers: int, right: float, is_right: bool
) -> None:
    found = told(turns)
    assert (found.speakers, round(found.right, 2), found.is_right) == (speakers, right, is_right)


def test_a_dialogue_that_is_not_there_proves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(two_voices, "DIALOGUE", tmp_path / "dialogue.wav")
    with pytest.raises(NotProven, match="cannot be read"):
        prove_speakers("resemblyzer", lambda _: [])
