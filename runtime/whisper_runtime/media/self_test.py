"""The proof that a loaded model transcribes: a clip whose words are known."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.wer import word_error_rate


class NotProven(Exception):
    """The model transcribes the clip wrong, or there is no clip; the message says which, and the remedy."""


def prove(directory: str, max_word_error_rate: float, transcribe: Callable[[Samples], str]) -> None:
    """Transcribes `clip.wav` in `directory` and compares the text with `clip.txt`.

    Raises NotProven where more than `max_word_error_rate` (0 to 1) of the words are wrong, or the clip cannot be read.
    """
    clip, words = Path(directory) / "clip.wav", Path(directory) / "clip.txt"
    try:
        samples, expected = read_wav(clip), words.read_text()
    except (OSError, EOFError, wave.Error) as error:
        raise NotProven(
            f"the golden clip cannot be read ({error}): set WHISPER_GOLDEN_DIR to where clip.wav and clip.txt are"
        ) from None
    rate = word_error_rate(expected, transcribe(samples))
    if rate > max_word_error_rate:
        raise NotProven(
            f"the model gets {rate:.0%} of the golden clip's words wrong, at most {max_word_error_rate:.0%} may be: "
            "check that the checkpoint is the right one"
        )


def read_wav(path: Path) -> Samples:
    """Samples of a 16-bit mono recording at 16 kHz, float32 from -1 to 1; raises OSError, EOFError or wave.Error."""
    with wave.open(str(path)) as recording:
        form = (recording.getnchannels(), recording.getsampwidth(), recording.getframerate())
        if form != (1, 2, SAMPLE_RATE):
            raise wave.Error(f"{path} is not 16-bit mono at {SAMPLE_RATE} Hz")
        return np.frombuffer(recording.readframes(recording.getnframes()), np.int16).astype(np.float32) / 32768.0
