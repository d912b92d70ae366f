"""python -m benchmarks.parity: the whole corpus, alone, among others and among copies; prints what differs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Final

from benchmarks.parity import compare, run, upstream
from benchmarks.parity.corpus import MODELS, Case, cases
from whisper_runtime.engine.transcription import Transcription

EVERY: Final = 8
"""One in so many cases is decoded in eight copies: they cost eight times as much."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, action="append")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--kept", action="store_true", help="only cases that upstream has answered before")
    parsed = parser.parse_args()
    wrong = 0
    for name in parsed.model or MODELS:
        chosen = [case for case in cases() if case.model == name and parsed.only in case.name]
        if parsed.kept:
            chosen = [case for case in chosen if upstream.is_kept(case)]
        wrong += _campaign(name, chosen)
    sys.exit(1 if wrong else 0)


def _campaign(name: str, chosen: list[Case]) -> int:
    """How many answers differ."""
    engine = run.table(name)
    for case in chosen:
        upstream.answer(case)
    copied = chosen[::EVERY]
    wrong = (
        _report("alone", ((case, run.alone(engine, case)) for case in chosen))
        + _report("among others", run.among_others(engine, chosen))
        + _report("among copies", ((case, found) for case in copied for found in run.among_copies(engine, case)))
    )
    print(
        f"{name}: {len(chosen)} cases, {len(copied)} of them in {run.COPIES} copies; {wrong} answers differ", flush=True
    )
    return wrong


def _report(way: str, answers: Iterable[tuple[Case, Transcription]]) -> int:
    wrong = 0
    for case, found in answers:
        if lines := compare.differences(found, upstream.answer(case)):
            wrong += 1
            print(f"{case.name}, {way}:", *lines, sep="\n    ", flush=True)
    return wrong


if __name__ == "__main__":
    main()
