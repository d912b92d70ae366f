"""A copy of an encoder's file with the thresholds that a folder of recordings comes to."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from benchmarks.parity import sounds
from testbed import wheels
from tests.runtime.diarization.test_diarizer import in_turns, kennedy, reader
from tests.support.onnx_encoders import ge2e_encoder
from whisper_runtime.diarization import load
from whisper_runtime.diarization.interface import SpeakerBounds
from whisper_runtime.engine.interface import Samples
from whisper_runtime.process.calibrate import CannotCalibrate, calibrate_encoder
from whisper_runtime.process.command import MISCONFIGURED, main


def written(path: Path, samples: Samples) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, sounds.SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    weights = load._weights(str(wheels.ensure(wheels.RESEMBLYZER)))  # pyright: ignore[reportPrivateUsage]
    (tmp_path / "voices.onnx").write_bytes(ge2e_encoder(weights))
    return tmp_path / "voices.onnx"


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    written(tmp_path / "people/kennedy/speech.wav", kennedy(0, 11))
    written(tmp_path / "people/reader/first.wav", reader(0, 12))
    written(tmp_path / "people/reader/second.wav", reader(12, 25))
    return tmp_path / "people"


def test_the_copy_tells_speakers_apart_and_the_file_itself_does_not(
    encoder: Path, recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = encoder.with_name("calibrated.onnx")
    assert main(["calibrate", str(encoder), str(recordings), "--to", str(to)], {}) == 0
    assert "two speakers who speak long" in capsys.readouterr().out
    samples, _ = in_turns()
    assert [speakers(path, samples) for path in (encoder, to)] == [1, 2]


def speakers(encoder: Path, samples: Samples) -> int:
    found = load.load_diarizer(str(encoder)).turns(samples, SpeakerBounds(), (), is_cancelled=lambda: False)
    return len({turn.speaker for turn in found})


def test_a_speaker_with_too_little_speech_is_named(encoder: Path, recordings: Path) -> None:
    written(recordings / "ada/hm.wav", kennedy(0, 2))
    with pytest.raises(
        CannotCalibrate, match=r"people: ada has . windows of speech, and 10 are needed: it needs a folder"
    ):
        calibrate_encoder(str(encoder), str(recordings), str(encoder.with_name("to.onnx")))


def test_a_file_that_is_no_recording_is_named(encoder: Path, recordings: Path) -> None:
    (recordings / "kennedy/notes.txt").write_text("Ask not")
    with pytest.raises(CannotCalibrate, match=r"notes\.txt is no recording: "):
        calibrate_encoder(str(encoder), str(recordings), str(encoder.with_name("to.onnx")))


def test_a_torch_file_has_thresholds_already(recordings: Path, tmp_path: Path) -> None:
    torch_file, to = str(wheels.ensure(wheels.RESEMBLYZER)), str(tmp_path / "to.onnx")
    with pytest.raises(CannotCalibrate, match="only the thresholds of an ONNX file are measured"):
        calibrate_encoder(torch_file, str(recordings), to)


def test_what_is_missing_ends_the_command(tmp_path: Path) -> None:
    arguments = ["calibrate", str(tmp_path / "none.onnx"), str(tmp_path), "--to", str(tmp_path / "to.onnx")]
    assert main(arguments, {}) == MISCONFIGURED
