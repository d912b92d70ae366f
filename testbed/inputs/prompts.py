"""Telephone prompts that one person for each language has recorded, and the words: Asterisk's, packaged by Debian.

English, Spanish and French: CC-BY-SA 3.0; Italian and Russian: CC-BY 3.0. All are of 8 kHz. The transcripts are what
the speakers were given to read: Spanish ones lack most accents.
"""

from __future__ import annotations

import gzip
import re
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.inputs import packages
from testbed.paths import CACHE

LANGUAGES: Final = ("en", "es", "fr", "it", "ru")
PROMPTS: Final = CACHE / "prompts"
SHORTEST: Final = 3.0
"""Seconds; a single word is too little to tell a language by."""
WRITTEN_OTHERWISE: Final = re.compile(r"[\d\[(<]")
"""Numerals, which a transcript may spell, and remarks such as `[tones]`."""


@dataclass(frozen=True)
class Prompt:
    name: str
    """The same in every language, and for what is said there."""
    path: Path
    words: str


def in_every_language() -> dict[str, list[Prompt]]:
    """By language, the prompts that all languages have in whole sentences, in one order; fetched where missing."""
    found = {language: _prompts(_ensure(language)) for language in LANGUAGES}
    names = sorted(name for name in found["en"] if all(name in prompts for prompts in found.values()))
    return {language: [prompts[name] for name in names] for language, prompts in found.items()}


def prompt(language: str, name: str) -> Prompt:
    return _prompts(_ensure(language))[name]


def _ensure(language: str) -> Path:
    """The directory of one language's two packages."""
    sounds = f"asterisk-core-sounds-{language}"
    return packages.unpacked(PROMPTS / language, sounds, f"{sounds}-wav")


def _prompts(directory: Path) -> dict[str, Prompt]:
    """By name, those that are long enough and written as they are spoken."""
    share = directory / "usr/share"
    (transcript,) = share.glob("doc/*/core-sounds-*.txt.gz")
    (voice,) = share.glob("asterisk/sounds/*")
    found: dict[str, Prompt] = {}
    for line in gzip.decompress(transcript.read_bytes()).decode().splitlines():
        name, _, words = (part.strip() for part in line.partition(":"))
        path = voice / f"{name}.wav"
        if not line.startswith(";") and not WRITTEN_OTHERWISE.search(words) and path.exists():
            found[name] = Prompt(name, path, words)
    return {name: prompt for name, prompt in found.items() if seconds(prompt) >= SHORTEST}


def seconds(prompt: Prompt) -> float:
    with wave.open(str(prompt.path)) as file:
        return file.getnframes() / file.getframerate()
