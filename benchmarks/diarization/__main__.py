"""make bench-speakers: how much of the speech in dialogues goes to the wrong speaker; writes docs/reports/speakers.md.

The dialogues are joined from lines of known speakers, by seeds that nothing was tuned with: tuning had those below
2000.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks.diarization import cost, known, report
from benchmarks.diarization.kinds import KINDS, KNOWN_DIALOGUES, OF_KNOWN, DialogueKind
from benchmarks.diarization.known import KnownMeasured
from benchmarks.diarization.measure import SpeakersMeasured, measure
from testbed import wheels
from whisper_runtime.diarization.interface import Diarizer
from whisper_runtime.diarization.load import load_diarizer
from whisper_runtime.engine.speech.network import compute_alone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2000, help="of each row's first dialogue; the others' follow")
    parser.add_argument("--model", default="base", help="whose transcription the cost is compared with")
    parsed = parser.parse_args()
    diarizer = load_diarizer(str(wheels.ensure(wheels.RESEMBLYZER)))
    with ThreadPoolExecutor(1, initializer=compute_alone) as alone:  # so that a thread's processor time is all of it
        rows = alone.submit(_dialogues, diarizer, parsed.seed).result()
        of_known = alone.submit(_known, diarizer, parsed.seed).result()
    transcription = cost.of_transcription(parsed.model, parsed.seed)
    text = report.markdown(rows, of_known, parsed.seed, parsed.model, transcription)
    report.PATH.write_text(text)
    print(text)


def _dialogues(diarizer: Diarizer, seed: int) -> list[tuple[DialogueKind, list[SpeakersMeasured]]]:
    rows = [(kind, list[SpeakersMeasured]()) for kind in KINDS]
    for kind, found in rows:
        for number in range(seed, seed + kind.dialogues):
            found.append(measure(diarizer, kind, number))
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
