"""python -m benchmarks.parity: the whole corpus, alone, among others and among copies; prints what differs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Final

from benchmarks.parity import compare, run, upstream
from benchmarks.parity.corpus import MODELS, ParityCase, cases
from testbed import wheels
from whisper_runtime.diarization.load import load_diarizer
from whisper_runtime.engine.transcription import Transcription

EVERY: Final = 8
"""Every eighth case is decoded in eight copies: they cost eight times as much."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, action="append")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--speakers", action="store_true", help="only cases with words, with their speakers")
    parser.add_argument("--kept", action="store_true", help="only cases whose upstream result is kept already")
    parsed = parser.parse_args()
    wrong = 0
    for name in parsed.model or MODELS:
        chosen = [case for case in cases() if case.model == name and parsed.only in case.name]
        if parsed.kept:
            chosen = [case for case in chosen if upstream.is_kept(case)]
        wrong += _beside_speakers(name, chosen) if parsed.speakers else _campaign(name, chosen)
    sys.exit(1 if wrong else 0)


def _campaign(name: str, chosen: list[ParityCase]) -> int:
    """The number of results that differ."""
    engine = run.scheduler(name)
    for case in chosen:
        upstream.result(case)
    copied = chosen[::EVERY]
    wrong = (
        _report("alone", ((case, run.alone(engine, case)) for case in chosen))
        + _report("among others", run.among_others(engine, chosen))
        + _report("among copies", ((case, found) for case in copied for found in run.among_copies(engine, case)))
    )
    print(
        f"{name}: {len(chosen)} cases, {len(copied)} of them in {run.COPIES} copies; {wrong} results differ", flush=True
    )
    return wrong


def _beside_speakers(name: str, chosen: list[ParityCase]) -> int:
    """The number of results with speakers that differ in anything but these."""
    engine, diarizer = run.scheduler(name), load_diarizer(str(wheels.ensure(wheels.RESEMBLYZER)))
    of_words = [case for case in chosen if case.options.word_timestamps]
    wrong = _report("with speakers", ((case, run.with_speakers(engine, diarizer, case)) for case in of_words))
    print(f"{name}: {len(of_words)} cases with speakers; {wrong} results differ", flush=True)
    return wrong


def _report(way: str, results: Iterable[tuple[ParityCase, Transcription]]) -> int:
    wrong = 0
    for case, found in results:
        if lines := compare.differences(found, upstream.result(case)):
            wrong += 1
            print(f"{case.name}, {way}:", *lines, sep="\n    ", flush=True)
    return wrong


if __name__ == "__main__":
    main()
