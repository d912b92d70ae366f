"""The proof that a loaded model hears: a clip whose words are known."""

from __future__ import annotations

import re
import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.decode import SAMPLE_RATE


class NotProven(Exception):
    """The model does not hear what is spoken, or there is no clip to try it with; the message says which."""


def prove(directory: str, max_word_error_rate: float, transcribe: Callable[[Samples], str]) -> None:
    """Transcribes `clip.wav` and compares with `clip.txt`; raises NotProven."""
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
            "is the checkpoint the right one?"
        )


def read_wav(path: Path) -> Samples:
    """Samples of a 16-bit mono recording at 16 kHz, float32 from -1 to 1."""
    with wave.open(str(path)) as recording:
        form = (recording.getnchannels(), recording.getsampwidth(), recording.getframerate())
        if form != (1, 2, SAMPLE_RATE):
            raise wave.Error(f"{path} is not 16-bit mono at {SAMPLE_RATE} Hz")
        return np.frombuffer(recording.readframes(recording.getnframes()), np.int16).astype(np.float32) / 32768.0


def word_error_rate(expected: str, heard: str) -> float:
    """Edits (insert, delete, substitute a word) from one to the other by the number of expected words, case aside."""
    reference = _words(expected)
    return _edits(reference, _words(heard)) / max(1, len(reference))


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def _edits(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Levenshtein's distance over words."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(reference, 1):
        above, row[0] = row[0], i
        for j, word in enumerate(heard, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (wanted != word))
    return row[-1]
