"""The golden clip is the proof: a model that transcribes it wrong never serves."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from whisper_runtime.media.self_test import NotProven, prove


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    with wave.open(str(tmp_path / "clip.wav"), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(16000)
        recording.writeframes(np.zeros(1600, np.int16).tobytes())
    (tmp_path / "clip.txt").write_text("Please call me back tomorrow morning.")
    return tmp_path


def test_a_model_that_is_right_passes(clip: Path) -> None:
    prove(str(clip), 0.0, lambda _: " please call me back tomorrow morning")


@pytest.mark.parametrize("text", ["", "the the the the the the", "Please call me back."])
def test_one_that_does_not_is_refused(clip: Path, text: str) -> None:
    with pytest.raises(NotProven, match="of the golden clip's words wrong, at most 20% may be"):
        prove(str(clip), 0.2, lambda _: text)


def test_the_part_that_may_be_wrong_is_configured(clip: Path) -> None:
    prove(str(clip), 0.4, lambda _: "Please call me back.")


def test_a_clip_that_is_not_there_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotProven, match="set WHISPER_GOLDEN_DIR"):
        prove(str(tmp_path), 0.2, lambda _: "anything")


def test_a_clip_of_another_form_is_named(clip: Path) -> None:
    with wave.open(str(clip / "clip.wav"), "wb") as recording:
        recording.setnchannels(2)
        recording.setsampwidth(2)
        recording.setframerate(44100)
        recording.writeframes(bytes(400))
    with pytest.raises(NotProven, match="is not 16-bit mono at 16000 Hz"):
        prove(str(clip), 0.2, lambda _: "anything")
