"""The report of a run."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.diarization.kinds import DialogueKind
from benchmarks.diarization.known import KnownMeasured
from benchmarks.diarization.measure import SpeakersMeasured
from benchmarks.diarization.words import WordsMeasured
from testbed.paths import REPOSITORY

ENOUGH_SECONDS: Final = 8
"""In which a speaker says enough to be told from others."""
PATH: Final = REPOSITORY / "docs/reports/speakers.md"
INTRODUCTION: Final = """# Who speaks when

Dialogues joined from single lines, so that the truth is known: two actors each in Dutch and Czech (Debian's
`fillets-ng-data-nl` and `-cs`), and with more speakers also those of Spanish, French, Italian and Russian telephone
prompts (`asterisk-core-sounds-*`). Lines follow each other after 0.1 to 0.8 s, all at one loudness; overlaps are of 0.3
to 1 s. By telephone: 300 to 3400 Hz at 8 kHz, µ-law. The weights are those of PyPI's resemblyzer 0.1.4.

The diarization error rate is in percent of the seconds spoken, with a collar of 0.25 s, over all dialogues of a row
(the worst one in brackets); overlaps count. These are recordings of a studio: nothing is measured here of rooms with
echo, or of people who interrupt each other all the time."""
OTHERS: Final = """No whole other system's figures stand beside these: pyannote, NeMo, simple-diarizer and diarize fetch
their weights when they are first used, sherpa-onnx has none in its wheel, and only what packages hold is taken here.
Another clustering does: spectralcluster 0.2.22, by GE2E's authors, with the settings that they published (ICASSP 2018;
two to seven speakers), on the same windows and voices, made into turns in the same way."""


def markdown(
    rows: Sequence[tuple[DialogueKind, Sequence[SpeakersMeasured]]],
    known: Sequence[tuple[str, Sequence[KnownMeasured]]],
    words: Sequence[tuple[DialogueKind, Sequence[WordsMeasured]]],
    beside: Sequence[tuple[DialogueKind, Sequence[SpeakersMeasured]]],
    seed: int,
    model: str,
    transcription: float,
) -> str:
    """`beside`: what another clustering does; empty: not measured.

    `transcription`: processor seconds of `model` for a second of audio.
    """
    everything = [one for _, found in rows for one in found]
    cost = sum(one.processor_seconds for one in everything) / sum(one.seconds for one in everything)
    return "\n".join(
        [
            INTRODUCTION,
            "",
            "| dialogues | minutes | error rate | number of speakers right | error rate, number given |",
            "|---|---|---|---|---|",
            *(_row(kind, found) for kind, found in rows),
            "",
            _numbers(everything),
            "",
            _overlaps(everything),
            "",
            "Known speakers: two of three are known, by 8 s of other lines; dialogues of 2 minutes, without a collar.",
            "A turn is whose most of it is.",
            "",
            "| dialogues | of their turns, with the right name | of the third one's, with a known one's name "
            "| the same of their seconds | the same of the third one's | a reference refused |",
            "|---|---|---|---|---|---|",
            *(_known_row(name, found) for name, found in known),
            "",
            f"Words, by {model}'s own times of them, the language detected; those that nobody spoke are left out:",
            "",
            "| dialogues | words | given to the right speaker | nobody's |",
            "|---|---|---|---|",
            *(_words_row(kind, found) for kind, found in words),
            "",
            *_beside(rows, beside),
            f"The speakers of a second of audio cost {1000 * cost:.1f} ms of one processor, the detection of speech "
            f"included. Its transcription with {model} costs {1000 * transcription:.0f} ms on the same machine: "
            f"the speakers are {100 * cost / transcription:.1f} % of it.",
            "",
            f"Seeds from {seed} on; the thresholds were chosen with those below 2000. `make bench-speakers` "
            "writes this page.",
            "",
        ]
    )


def _row(kind: DialogueKind, found: Sequence[SpeakersMeasured]) -> str:
    rate, worst = _mean([one.error_rate for one in found], found), max(one.error_rate for one in found)
    given = _mean([one.with_number for one in found], found)
    return (
        f"| {len(found)} of {kind.name} | {kind.minutes} | {100 * rate:.1f} ({100 * worst:.1f}) "
        f"| {_right(found)} | {100 * given:.1f} |"
    )


def _numbers(found: Sequence[SpeakersMeasured]) -> str:
    enough = [one for one in found if one.least_seconds >= ENOUGH_SECONDS]
    little = [one for one in found if one.least_seconds < ENOUGH_SECONDS]
    return (
        f"The number is right in {_right(found)}: in {_right(enough)} where everybody speaks for {ENOUGH_SECONDS} s at "
        f"least, and in {_right(little)} where somebody speaks for less."
    )


def _right(found: Sequence[SpeakersMeasured]) -> str:
    return f"{sum(one.found == one.speakers for one in found)} of {len(found)}"


def _overlaps(found: Sequence[SpeakersMeasured]) -> str:
    both, told = sum(one.overlaps for one in found), sum(one.overlaps_told for one in found)
    turns, false = sum(one.turns for one in found), sum(one.overlaps_false for one in found)
    return (
        f"Of {both} times at which two speak at once {told} are told as such (`overlap`). Of {turns} turns {false} say "
        "so where one speaks alone."
    )


def _mean(rates: Sequence[float], found: Sequence[SpeakersMeasured]) -> float:
    return statistics.fmean(rates, [one.seconds for one in found])


def _known_row(name: str, found: Sequence[KnownMeasured]) -> str:
    right, false = statistics.fmean(one.right for one in found), statistics.fmean(one.false for one in found)
    refused = sum(one.refused for one in found)
    turns, right_turns = sum(one.turns for one in found), sum(one.right_turns for one in found)
    third, false_turns = sum(one.third_turns for one in found), sum(one.false_turns for one in found)
    return (
        f"| {len(found)} of {name} | {right_turns} of {turns} ({100 * right_turns / max(1, turns):.1f} %) "
        f"| {false_turns} of {third} | {100 * right:.1f} % | {100 * false:.1f} % | {refused} of {len(found)} |"
    )


def _words_row(kind: DialogueKind, found: Sequence[WordsMeasured]) -> str:
    words, right, nobodys = (
        sum(one.words for one in found),
        sum(one.right for one in found),
        sum(one.nobodys for one in found),
    )
    return f"| {len(found)} of {kind.name} | {words} | {100 * right / words:.1f} % | {nobodys} |"


def _beside(
    rows: Sequence[tuple[DialogueKind, Sequence[SpeakersMeasured]]],
    beside: Sequence[tuple[DialogueKind, Sequence[SpeakersMeasured]]],
) -> Iterator[str]:
    if not beside:
        return
    ours = dict(rows)
    yield from (OTHERS, "", "| dialogues | error rate: spectralcluster | here | number right: spectralcluster | here |")
    yield "|---|---|---|---|---|"
    for kind, found in beside:
        mine, count = ours[kind], len(found)
        rate, here = (_mean([one.error_rate for one in some], some) for some in (found, mine))
        right, right_here = (sum(one.found == one.speakers for one in some) for some in (found, mine))
        yield (
            f"| {count} of {kind.name} | {100 * rate:.1f} | {100 * here:.1f} "
            f"| {right} of {count} | {right_here} of {count} |"
        )
    yield ""
