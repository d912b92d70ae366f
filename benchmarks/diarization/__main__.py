"""make bench-speakers: how much of the speech in dialogues goes to the wrong speaker; writes docs/reports/speakers.md.

The dialogues are joined from lines of known speakers, by seeds that nothing was tuned with: tuning had those below
2000. With `--beside`, spectralcluster is measured on the same windows, where it is installed (beside.py here).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from benchmarks.diarization import cost, known, report, words
from benchmarks.diarization.beside import spectral
from benchmarks.diarization.kinds import BESIDE, KINDS, KNOWN_DIALOGUES, OF_KNOWN, OF_WORDS, DialogueKind
from benchmarks.diarization.known import KnownMeasured
from benchmarks.diarization.ledger import Ledger
from benchmarks.diarization.measure import SpeakersMeasured, measure
from benchmarks.diarization.words import WordsMeasured
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
    parser.add_argument("--ledger", type=Path, help="a file of what is measured, from which a run goes on")
    parsed = parser.parse_args()
    seed, ledger, diarizer = parsed.seed, Ledger(parsed.ledger), load_diarizer(str(wheels.ensure(wheels.RESEMBLYZER)))
    other = spectral(diarizer) if parsed.beside else None
    with ThreadPoolExecutor(1, initializer=compute_alone) as alone:  # so that a thread's processor time is all of it
        of_known = alone.submit(_known, diarizer, seed, ledger).result()
        turns = DialogueMeasure("turns", SpeakersMeasured, lambda kind, one: measure(diarizer, kind, one))
        rows = alone.submit(_rows, KINDS, seed, ledger, turns).result()
        beside: list[tuple[DialogueKind, list[SpeakersMeasured]]] = []
        if other:
            clusters = DialogueMeasure("beside", SpeakersMeasured, lambda kind, one: measure(other, kind, one))
            beside = alone.submit(_rows, BESIDE, seed, ledger, clusters).result()
    weights.ensure()
    engine = run.scheduler(parsed.model)
    spoken = DialogueMeasure("words", WordsMeasured, lambda kind, one: words.measure(engine, diarizer, kind, one))
    of_words = _rows(OF_WORDS, seed, ledger, spoken)
    transcription = cost.of_transcription(engine, seed)
    text = report.markdown(rows, of_known, of_words, beside, seed, parsed.model, transcription)
    report.PATH.write_text(text)
    print(text)


@dataclass(frozen=True)
class DialogueMeasure(Generic[T]):
    what: str
    read: Callable[..., T]
    of: Callable[[DialogueKind, int], T]


def _rows(
    kinds: Sequence[DialogueKind], seed: int, ledger: Ledger, measured: DialogueMeasure[T]
) -> list[tuple[DialogueKind, list[T]]]:
    rows = [(kind, list[T]()) for kind in kinds]
    for kind, found in rows:
        for number in range(seed, seed + kind.dialogues):
            one = f"{measured.what}: {kind.name}, {kind.minutes} min, seed {number}"
            found.append(ledger.measured(one, measured.read, partial(measured.of, kind, number)))
            print(f"{kind.name}, seed {number}: {found[-1]}", file=sys.stderr, flush=True)
    return rows


def _known(diarizer: Diarizer, seed: int, ledger: Ledger) -> list[tuple[str, list[KnownMeasured]]]:
    rows = list[tuple[str, list[KnownMeasured]]]()
    for name, sound, of_references in OF_KNOWN:
        seeds = range(seed, seed + KNOWN_DIALOGUES)
        of = partial(known.measure, diarizer, sound=sound, sound_of_references=of_references)
        rows.append((name, [ledger.measured(f"{name}, seed {one}", KnownMeasured, partial(of, one)) for one in seeds]))
        print(f"known speakers, {name}: {rows[-1][1]}", file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    main()
