"""python -m benchmarks.runtime.speech_detection: a processor's seconds to detect the speech in a minute of audio.

Real speech, ten minutes at a time, each round in the same thread after one that is not counted.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from typing import Final

import numpy as np

from benchmarks.parity import sounds
from whisper_runtime.engine.speech.network import Probabilities, compute_alone, no_memory, probabilities
from whisper_runtime.engine.speech.spans import SpeechDetection, clips, speech_spans
from whisper_runtime.service.speech_detector import PIECE

MINUTES: Final = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    thread = threading.Thread(target=_measure, args=(rounds,))
    thread.start()
    thread.join()


def _measure(rounds: int) -> None:
    compute_alone()
    samples = np.resize(sounds.voice("jfk"), MINUTES * 60 * sounds.SAMPLE_RATE)
    found: list[float] = []
    for _ in range(rounds + 1):
        began, memory, pieces = time.thread_time(), no_memory(), list[Probabilities]()
        for at in range(0, len(samples), PIECE):
            piece, memory = probabilities(samples[at : at + PIECE], memory)
            pieces.append(piece)
        clips(speech_spans(np.concatenate(pieces), MINUTES * 60, SpeechDetection()), SpeechDetection())
        found.append((time.thread_time() - began) / MINUTES)
    counted = sorted(found[1:])
    spread = f"{counted[0]:.3f} to {counted[-1]:.3f}"
    print(f"{statistics.median(counted):.3f} s of one processor for a minute of audio ({spread}, {rounds} rounds)")


if __name__ == "__main__":
    main()
