"""make bench-speakers: how much of the speech in dialogues goes to the wrong speaker; writes docs/reports/speakers.md.

The dialogues are joined from lines of known speakers, by seeds that nothing was tuned with: tuning had those below
2000. With `--beside`, spectralcluster is measured on the same windows, where it is installed (beside.py here).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from benchmarks.diarization import cost, known, report, words
from benchmarks.diarization.beside import spectral
from benchmarks.diarization.kinds import BESIDE, KINDS, KNOWN_DIALOGUES, OF_KNOWN, OF_WORDS, DialogueKind
from benchmarks.diarization.known import KnownMeasured
from benchmarks.diarization.measure import SpeakersMeasured, measure
from benchmarks.parity import run
from testbed import wheels
from testbed.inputs import weights
from whisper_runtime.diarization.interface import Diarizer
from whisper_runtime.diarization.load import load_diarizer
from whisper_runtime.engine.speech.network import compute_alone

T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7000, help="of each row's first dialogue; the others' follow")
    parser.add_argument("--model", default="base", help="that transcribes, and whose cost is compared")
    parser.add_argument("--beside", action="store_true", help="measure spectralcluster, too")
    parsed = parser.parse_args()
    seed, diarizer = parsed.seed, load_diarizer(str(wheels.ensure(wheels.RESEMBLYZER)))
    other = spectral(diarizer) if parsed.beside else None
    with ThreadPoolExecutor(1, initializer=compute_alone) as alone:  # so that a thread's processor time is all of it
        rows = alone.submit(_rows, KINDS, seed, lambda kind, one: measure(diarizer, kind, one)).result()
        of_known = alone.submit(_known, diarizer, seed).result()
        beside: list[tuple[DialogueKind, list[SpeakersMeasured]]] = []
        if other:
            beside = alone.submit(_rows, BESIDE, seed, lambda kind, one: measure(other, kind, one)).result()
    weights.ensure()
    engine = run.scheduler(parsed.model)
    of_words = _rows(OF_WORDS, seed, lambda kind, one: words.measure(engine, diarizer, kind, one))
    transcription = cost.of_transcription(engine, seed)
    text = report.markdown(rows, of_known, of_words, beside, seed, parsed.model, transcription)
    report.PATH.write_text(text)
    print(text)


def _rows(
    kinds: Sequence[DialogueKind], seed: int, measured: Callable[[DialogueKind, int], T]
) -> list[tuple[DialogueKind, list[T]]]:
    rows = [(kind, list[T]()) for kind in kinds]
    for kind, found in rows:
        for number in range(seed, seed + kind.dialogues):
            found.append(measured(kind, number))
            print(f"{kind.name}, seed {number}: {found[-1]}", file=sys.stderr, flush=True)
    return rows


def _known(diarizer: Diarizer, seed: int) -> list[tuple[str, list[KnownMeasured]]]:
    rows = list[tuple[str, list[KnownMeasured]]]()
    for name, sound, of_references in OF_KNOWN:
        seeds = range(seed, seed + KNOWN_DIALOGUES)
        rows.append((name, [known.measure(diarizer, number, sound, of_references) for number in seeds]))
        print(f"known speakers, {name}: {rows[-1][1]}", file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    main()
