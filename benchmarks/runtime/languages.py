"""python -m benchmarks.runtime.languages: how many words are wrong in each language; writes docs/reports/languages.md.

People's telephone prompts, the same ones in every language, each alone and greedily: with the language given, with the
language detected, and translated. `whisper.transcribe` gets the same samples, and texts are compared letter by letter.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import whisper
from sacrebleu.metrics.chrf import CHRF
from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer
from whisper.tokenizer import LANGUAGES

from benchmarks.parity import run, upstream
from benchmarks.parity.corpus import PLAIN, ParityCase
from benchmarks.runtime.load import error_rate
from testbed.inputs import prompts, weights
from testbed.inputs.prompts import Prompt
from testbed.paths import REPOSITORY
from whisper_runtime.engine.batching.scheduler import Scheduler
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.transcription import Options, Transcription

REPORT: Final = REPOSITORY / "docs/reports/languages.md"
WITHOUT_ACCENTS: Final = BasicTextNormalizer(remove_diacritics=True)
"""Both sides lose them: the Spanish transcripts have few."""
ENGLISH: Final = EnglishTextNormalizer()


@dataclass(frozen=True)
class LanguageRow:
    language: str
    prompts: int
    minutes: float
    given: float
    """Word error rate in percent, the language given."""
    detected: float
    """The same, the language detected."""
    recognized: int
    """Prompts whose language was detected rightly."""
    translation: float | None
    """chrF, from 0 to 100, against the prompt of the same name in English; None: English is not translated."""
    unlike: int
    """Texts that are not letter by letter those of `whisper.transcribe`, of all."""
    texts: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="base")
    parser.add_argument("--prompts", type=int, default=20, help="of each language")
    parsed = parser.parse_args()
    weights.ensure()
    engine = run.scheduler(parsed.model)
    spoken = {language: some[: parsed.prompts] for language, some in prompts.in_every_language().items()}
    english = [prompt.words for prompt in spoken["en"]]
    rows: list[LanguageRow] = []
    for language, some in spoken.items():
        rows.append(_measure(engine, parsed.model, language, some, english))
        print(_line(rows[-1]), flush=True)
    REPORT.write_text(_report(parsed.model, rows))
    print(f"written: {REPORT}")


def _measure(
    engine: Scheduler, model: str, language: str, some: Sequence[Prompt], english: Sequence[str]
) -> LanguageRow:
    """`english` has the words of the same prompts in English."""
    samples = [_samples(prompt) for prompt in some]
    wanted = [prompt.words for prompt in some]
    given = _Texts.of(engine, model, samples, replace(PLAIN, language=language))
    detected = _Texts.of(engine, model, samples, replace(PLAIN, language=None))
    done = [given, detected]
    translation = None
    if language != "en":
        translated = _Texts.of(engine, model, samples, replace(PLAIN, language=language, task="translate"))
        done.append(translated)
        translation = _chrf(translated.texts, english)
    normalize = ENGLISH if language == "en" else WITHOUT_ACCENTS
    return LanguageRow(
        language=language,
        prompts=len(some),
        minutes=sum(prompts.seconds(prompt) for prompt in some) / 60,
        given=100 * error_rate(wanted, given.texts, normalize),
        detected=100 * error_rate(wanted, detected.texts, normalize),
        recognized=sum(found.language == language for found in detected.found),
        translation=translation,
        unlike=sum(texts.unlike for texts in done),
        texts=sum(len(texts.found) for texts in done),
    )


@dataclass(frozen=True)
class _Texts:
    found: Sequence[Transcription]
    unlike: int
    """Texts that are not those of `whisper.transcribe`."""

    @property
    def texts(self) -> list[str]:
        return [found.text for found in self.found]

    @classmethod
    def of(cls, engine: Scheduler, model: str, samples: Sequence[Samples], options: Options) -> _Texts:
        cases = [ParityCase(str(number), model, one, options) for number, one in enumerate(samples)]
        found = [run.alone(engine, case) for case in cases]
        pairs = zip(cases, found, strict=True)
        return cls(found, sum(upstream.result(case)["text"] != mine.text for case, mine in pairs))


def _samples(prompt: Prompt) -> Samples:
    """As openai-whisper reads a file: 16 kHz, mono."""
    load: Any = whisper.load_audio
    return load(str(prompt.path))


def _chrf(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Popović 2015, over all pairs, lower case on both sides."""
    lower = [text.lower() for text in hypotheses], [text.lower() for text in references]
    return CHRF().corpus_score(lower[0], [lower[1]]).score


def _line(row: LanguageRow) -> str:
    translation = "" if row.translation is None else f"{row.translation:.0f}"
    cells = (
        f"{LANGUAGES[row.language].capitalize()}",
        f"{row.prompts}, {row.minutes:.1f} min",
        f"{row.given:.1f}",
        f"{row.detected:.1f}",
        f"{row.recognized} of {row.prompts}",
        translation,
        f"{row.unlike} of {row.texts}",
    )
    return f"| {' | '.join(cells)} |"


def _report(model: str, rows: Sequence[LanguageRow]) -> str:
    lines = "\n".join(_line(row) for row in rows)
    return f"""# Words wrong, by language

Telephone prompts that one person for each language has recorded (Debian's `asterisk-core-sounds-*`, 8 kHz): those that
all five languages have, at least {prompts.SHORTEST:.0f} s long and written without numerals, the first of them by name.
`{model}`, float32, at temperature 0, each prompt alone. Word error rates in percent, with the language given and
detected, accents and case apart; a prompt's transcript is what its speaker was given to read. Translations are held
against the English prompt of the same name, of which they need not be a literal translation, by chrF (0 to 100). The
last column: texts that differ from `whisper.transcribe`'s for the same samples, of all texts behind the row.

| language | prompts | WER, given | WER, detected | detected rightly | translation: chrF | unlike openai-whisper |
|---|---|---|---|---|---|---|
{lines}

`make bench-languages` writes this page.
"""


if __name__ == "__main__":
    main()
