"""The cases: real speech, cut, joined, sped up, with noise and silence, and synthetic speech in many languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.parity import sounds
from benchmarks.parity.sounds import VOICES, voice
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.transcription import Options

MODELS: Final = ("tiny.en", "base")
PLAIN: Final = Options(language="en", temperatures=(0.0,))
"""Temperature 0 alone: a fallback is sampled, and upstream samples from a generator that others use too."""
LANGUAGES: Final = {
    "es": "Buenos días. Mañana por la mañana vamos a la playa con nuestros amigos.",
    "de": "Guten Tag. Morgen früh fahren wir mit dem Zug nach Berlin.",
    "fr": "Bonjour. Demain matin nous allons au marché avec nos amis.",
    "it": "Buongiorno. Domani mattina andiamo al mare con i nostri amici.",
    "pt": "Bom dia. Amanhã de manhã vamos à praia com os nossos amigos.",
    "nl": "Goedemorgen. Morgen gaan wij met de trein naar Amsterdam.",
    "pl": "Dzień dobry. Jutro rano jedziemy pociągiem do Warszawy.",
    "ru": "Доброе утро. Завтра мы поедем на поезде в Москву.",
    "sv": "God morgon. I morgon åker vi med tåget till Stockholm.",
}
PROMPTS: Final = ("John F. Kennedy, Mr. Dashwood; Sense & Sensibility.", "ask not " * 150)


@dataclass(frozen=True)
class ParityCase:
    name: str
    model: str
    samples: Samples
    options: Options = PLAIN


def cases() -> list[ParityCase]:
    """All of them; names are unique."""
    return [
        ParityCase(f"{name}/{model}", model, samples, options)
        for name, samples, options, models in _each()
        for model in models
    ]


CaseOfModels = tuple[str, Samples, Options, tuple[str, ...]]


def _each() -> Iterator[CaseOfModels]:
    for number, name in enumerate(VOICES):
        yield from _of_one_voice(name, voice(name), MODELS[number % 2 :][:1])
    yield from _joined()
    yield from _silent()
    yield from _languages()


def _of_one_voice(name: str, samples: Samples, one: tuple[str, ...]) -> Iterator[CaseOfModels]:
    seconds = len(samples) / sounds.SAMPLE_RATE
    yield f"{name}", samples, PLAIN, MODELS
    yield f"{name}/auto", samples, replace(PLAIN, language=None), ("base",)
    yield f"{name}/translate", samples, replace(PLAIN, task="translate"), ("base",)
    yield f"{name}/first-half", sounds.cut(samples, 0, seconds / 2), PLAIN, MODELS
    yield f"{name}/second-half", sounds.cut(samples, seconds / 2, seconds), PLAIN, MODELS
    yield f"{name}/middle", sounds.cut(samples, 1.0, seconds - 0.7), PLAIN, MODELS
    for factor in (0.8, 1.25, 1.6):
        yield f"{name}/speed-{factor}", sounds.faster(samples, factor), PLAIN, one
    for decibels in (20, 10, 0):
        yield f"{name}/noise-{decibels}", sounds.noisy(samples, decibels), PLAIN, one
    for number, prompt in enumerate(PROMPTS):
        yield f"{name}/prompt-{number}", samples, replace(PLAIN, prompt=prompt), MODELS
    yield f"{name}/untimed", samples, replace(PLAIN, without_timestamps=True), MODELS
    yield f"{name}/words", samples, replace(PLAIN, word_timestamps=True), MODELS
    yield f"{name}/beam-5", samples, replace(PLAIN, beam_size=5), MODELS
    yield f"{name}/beam-2", samples, replace(PLAIN, beam_size=2, patience=2.0), one


def _joined() -> Iterator[CaseOfModels]:
    """Files of several windows."""
    jfk, *others = (voice(name) for name in VOICES)
    long = sounds.join(jfk, *others, jfk)
    pauses = sounds.join(jfk, sounds.silence(8), others[0], sounds.silence(25), others[3], sounds.silence(3))
    backwards = sounds.join(*reversed(others), sounds.hiss(4, 0.01), jfk, *others)
    yield "long", long, PLAIN, MODELS
    yield "long/auto", long, replace(PLAIN, language=None), ("base",)
    yield "long/prompt", long, replace(PLAIN, prompt=PROMPTS[0]), MODELS
    yield "long/keywords", long, replace(PLAIN, keywords="Kennedy, Dashwood, Norland"), MODELS
    yield "long/untimed", long, replace(PLAIN, without_timestamps=True), ("tiny.en",)
    yield "long/words", long, replace(PLAIN, word_timestamps=True), MODELS
    yield "long/beam", long, replace(PLAIN, beam_size=3), ("tiny.en",)
    yield "long/noise", sounds.noisy(long, 10), PLAIN, MODELS
    yield "long/fast", sounds.faster(long, 1.3), PLAIN, MODELS
    yield "long/clips", long, replace(PLAIN, clip_timestamps=(2.0, 9.5, 14.0, 30.0, 33.0)), MODELS
    yield "backwards", backwards, PLAIN, MODELS
    yield "backwards/words", backwards, replace(PLAIN, word_timestamps=True), ("tiny.en",)
    yield "pauses", pauses, PLAIN, MODELS
    for seconds in (1.0, 2.0):
        options = replace(PLAIN, word_timestamps=True, hallucination_silence_threshold=seconds)
        yield f"pauses/skips-{seconds}", pauses, options, MODELS


def _silent() -> Iterator[CaseOfModels]:
    """Little speech, or none."""
    for name in ("jfk", "0880"):
        yield f"{name}/late", sounds.join(sounds.silence(12), voice(name)), PLAIN, MODELS
        yield f"{name}/early", sounds.join(voice(name), sounds.silence(21)), PLAIN, MODELS
        yield f"{name}/in-hiss", sounds.join(sounds.hiss(5, 0.02), voice(name), sounds.hiss(5, 0.02)), PLAIN, MODELS
    for seconds in (1.0, 40.0):
        yield f"silence-{seconds:.0f}", sounds.silence(seconds), PLAIN, MODELS
        yield f"hiss-{seconds:.0f}", sounds.hiss(seconds, 0.05), PLAIN, MODELS


def _languages() -> Iterator[CaseOfModels]:
    for language, text in LANGUAGES.items():
        samples = sounds.spoken(language, text)
        yield f"{language}", samples, replace(PLAIN, language=language), ("base",)
        yield f"{language}/auto", samples, replace(PLAIN, language=None), ("base",)
        yield f"{language}/translate", samples, replace(PLAIN, language=None, task="translate"), ("base",)
