"""python -m benchmarks.runtime.accuracy: how many words are wrong, by precision, and where windows run side by side.

The real recordings, each alone, and joined into long files that begin with each of them; greedy, as by default.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Final

from whisper.normalizers import EnglishTextNormalizer

from benchmarks.parity import run
from benchmarks.parity.sounds import VOICES, join, voice
from benchmarks.runtime.load import error_rate
from benchmarks.runtime.speech import LONG_REPEATS, transcripts
from testbed.inputs import weights
from whisper_runtime.engine.batching.scheduler import Scheduler
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.transcription import Options

PRECISIONS: Final = ("float32", "bfloat16")

normalize: Final = EnglishTextNormalizer()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["base", "tiny.en"])
    parsed = parser.parse_args()
    weights.ensure()
    print("| model | precision | recordings: WER % | long files: WER % | s | side by side: WER % | s |")
    print("|---|---|---|---|---|---|---|")
    for name in parsed.models:
        for precision in PRECISIONS:
            engine = run.scheduler(name, precision)
            short, _ = _errors(engine, _short(), side_by_side=False)
            long, seconds = _errors(engine, _long(), side_by_side=False)
            apart, faster = _errors(engine, _long(), side_by_side=True)
            row = (name, precision, f"{short:.1f}", f"{long:.1f}", f"{seconds:.1f}", f"{apart:.1f}", f"{faster:.1f}")
            print(f"| {' | '.join(row)} |", flush=True)


def _short() -> Mapping[str, Samples]:
    """By their words."""
    return {words: voice(name) for name, words in transcripts().items()}


def _long() -> Mapping[str, Samples]:
    """Some 70 s each, by their words."""
    words = transcripts()
    orders = [[*VOICES[first:], *VOICES[:first]] * LONG_REPEATS for first in range(len(VOICES))]
    return {" ".join(words[name] for name in order): join(*(voice(name) for name in order)) for order in orders}


def _errors(engine: Scheduler, files: Mapping[str, Samples], *, side_by_side: bool) -> tuple[float, float]:
    """The word error rate in percent over all files, and the seconds for all of them, one after the other."""
    started = time.perf_counter()
    options = Options(language="en", condition_on_previous_text=not side_by_side)
    texts = [run.transcribe(engine, samples, options).text for samples in files.values()]
    return 100 * error_rate([*files], texts, normalize), time.perf_counter() - started


if __name__ == "__main__":
    main()
