"""Measures the thresholds of a speaker encoder with a folder of recordings, and writes them into a copy of its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from whisper_runtime.diarization.calibration import Calibration, TooLittleSpeech, calibrate
from whisper_runtime.diarization.diarizer import VoiceDiarizer
from whisper_runtime.diarization.embedding import Voices, VoiceScale
from whisper_runtime.diarization.interface import ONNX_BEGINS
from whisper_runtime.diarization.load import load_diarizer
from whisper_runtime.engine.interface import CannotLoad

MEANINGS = {
    "of_long": "two speakers who speak long",
    "of_short": "two speakers who speak for seconds",
    "of_a_reference": "a reference of two voices",
    "same": "a known speaker's voice",
}


class CannotCalibrate(Exception):
    """The message says why, and what is needed."""


def calibrate_encoder(encoder: str, recordings: str, to: str) -> str:
    """Writes the file at `encoder`, with its thresholds, to `to`, and returns what was found, as a table.

    `recordings`: a folder that has a folder of recordings for each speaker. Raises CannotCalibrate.
    """
    try:
        content = Path(encoder).read_bytes()
        if not content.startswith(ONNX_BEGINS):
            raise CannotCalibrate(f"{encoder} is no ONNX file, and only the thresholds of an ONNX file are measured")
        found = calibrate(_speakers(load_diarizer(encoder), Path(recordings)))
        Path(to).write_bytes(_with_scale(content, found.scale))
    except CannotLoad as error:
        raise CannotCalibrate(str(error)) from None
    except TooLittleSpeech as error:
        raise CannotCalibrate(f"{recordings}: {error}: it needs a folder for each speaker, with recordings") from None
    except OSError as error:
        raise CannotCalibrate(f"{error.filename or recordings}: {error.strerror}") from None
    return _table(found)


def _with_scale(content: bytes, scale: VoiceScale) -> bytes:
    from whisper_runtime.diarization.onnx_model import with_scale  # the extra `onnx`: the file has been loaded by it

    return with_scale(content, scale)


def _speakers(diarizer: VoiceDiarizer, recordings: Path) -> dict[str, list[Voices]]:
    folders = sorted(one for one in recordings.iterdir() if one.is_dir())
    return {folder.name: [*_voices(diarizer, folder)] for folder in folders}


def _voices(diarizer: VoiceDiarizer, folder: Path) -> list[Voices]:
    """Of all recordings in the folder; raises CannotCalibrate for one that ffmpeg cannot read."""
    from whisper.audio import load_audio

    found: list[Voices] = []
    for file in sorted(one for one in folder.iterdir() if one.is_file()):
        try:
            samples = load_audio(str(file))
        except RuntimeError as error:
            raise CannotCalibrate(f"{file} is no recording: {str(error).splitlines()[-1]}") from None
        found += diarizer.voices(np.asarray(samples, np.float32))
    return found


def _table(found: Calibration) -> str:
    lines = ["threshold  one speaker  two speakers  tells"]
    for name, meaning in MEANINGS.items():
        between, threshold = getattr(found, name), getattr(found.scale, name)
        verdict = meaning if between.tells else f"{meaning}: NOT well, they overlap in these recordings"
        lines.append(f"{threshold:9.3f}  {between.one:11.3f}  {between.two:12.3f}  {verdict}")
    return "\n".join(lines)
