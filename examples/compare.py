# /// script
# requires-python = ">=3.11"
# dependencies = ["jiwer==4.0.0", "openai==3.54.0"]
# ///
"""Sends a folder of recordings to two servers with OpenAI's API, and says where their answers differ.

    uv run compare.py FOLDER --new https://speech.example.com/v1 [--old https://api.openai.com/v1] [--language en]

The keys are read from OLD_API_KEY (else OPENAI_API_KEY) and NEW_API_KEY. Each recording is asked for as `verbose_json`
with segments and words. The report, in Markdown, has for each of them: the words that differ (the word error rate with
the old answer as the reference, case and punctuation apart), by how many seconds the times of equal words differ, and
the fields that one answer has and the other one has not. Ends with 1 where a server did not answer for a recording.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiwer
import openai


@dataclass(frozen=True)
class Difference:
    """Between two answers for one recording."""

    words: int
    """Of the old answer."""
    error_rate: float
    """Words that differ, as a share of the old answer's; 0: none."""
    seconds: Sequence[float]
    """For each word that both have, by how much its start differs."""
    duration: float
    """Seconds that the new `duration` is longer."""
    missing: Sequence[str]
    """Fields of the old answer alone: `segments[].tokens`."""
    added: Sequence[str]
    """Fields of the new answer alone."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--old", default="https://api.openai.com/v1")
    parser.add_argument("--new", required=True)
    parser.add_argument("--model", default="whisper-1")
    parser.add_argument("--language", help="default: each server detects it")
    parsed = parser.parse_args()
    keys = (
        os.environ.get("OLD_API_KEY", os.environ.get("OPENAI_API_KEY", "none")),
        os.environ.get("NEW_API_KEY", "none"),
    )
    old, new = (
        openai.OpenAI(base_url=url, api_key=key) for url, key in zip((parsed.old, parsed.new), keys, strict=True)
    )
    recordings = sorted(path for path in parsed.folder.rglob("*") if path.is_file())
    if not recordings:
        sys.exit(f"{parsed.folder}: no recording is in this folder")
    found: dict[str, Difference] = {}
    failed: dict[str, str] = {}
    for path in recordings:
        name = str(path.relative_to(parsed.folder))
        try:
            found[name] = compare(*(ask(client, path, parsed.model, parsed.language) for client in (old, new)))
        except openai.APIError as error:
            failed[name] = f"{error.request.url}: {error.message}"
    print(report(found, failed))
    sys.exit(1 if failed else 0)


def ask(client: openai.OpenAI, path: Path, model: str, language: str | None) -> dict[str, Any]:
    """The answer in `verbose_json`; raises openai.APIError."""
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the client's word on whisper-1
        answer = client.audio.transcriptions.create(
            file=file,
            model=model,
            response_format="verbose_json",
            timestamp_granularities=["segment", "word"],
            language=language or openai.omit,
        )
    return answer.to_dict()


def compare(old: dict[str, Any], new: dict[str, Any]) -> Difference:
    (old_words, old_starts), (new_words, new_starts) = _words(old), _words(new)
    shapes = [set(fields(answer)) for answer in (old, new)]
    return Difference(
        words=len(old_words),
        error_rate=_error_rate(old_words, new_words),
        seconds=[
            abs(old_starts[a] - new_starts[b]) for a, b in _equal(old_words, new_words) if old_starts and new_starts
        ],
        duration=float(new["duration"]) - float(old["duration"]),
        missing=sorted(shapes[0] - shapes[1]),
        added=sorted(shapes[1] - shapes[0]),
    )


def _words(answer: dict[str, Any]) -> tuple[list[str], list[float]]:
    """The words and their starts in seconds; no starts where the answer has a text alone."""
    timed = [(plain(entry["word"]).replace(" ", ""), float(entry["start"])) for entry in answer.get("words") or []]
    if not timed:
        return plain(answer["text"]).split(), []
    return [word for word, _ in timed if word], [start for word, start in timed if word]


def plain(text: str) -> str:
    """Lower case, without punctuation."""
    return re.sub(r"[^\w\s']|_", "", text.casefold()).strip()


def fields(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all fields in an answer; entries of a list have one path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (inside := f"{path}.{name}" if path else name)
            yield from fields(inner, inside)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner, f"{path}[]")


def report(found: dict[str, Difference], failed: dict[str, str]) -> str:
    """In Markdown: a row for each recording, then what concerns all of them."""
    lines = ["| recording | words | differ | start of a word: median, worst | duration |", "|---|---|---|---|---|"]
    lines += [f"| {name} | {_cells(difference)} |" for name, difference in found.items()]
    for title, of in (("only in the old answers", "missing"), ("only in the new answers", "added")):
        names = sorted({name for difference in found.values() for name in getattr(difference, of)})
        lines += ["", f"Fields {title}: {', '.join(f'`{name}`' for name in names) or 'none'}"]
    words = sum(difference.words for difference in found.values())
    if words:
        share = sum(difference.error_rate * difference.words for difference in found.values()) / words
        lines += ["", f"{words} words, of which {share:.1%} differ."]
    lines += [f"\nNo answer for {name}: {why}" for name, why in failed.items()]
    return "\n".join(lines)


def _cells(difference: Difference) -> str:
    seconds = difference.seconds
    times = f"{statistics.median(seconds):.2f} s, {max(seconds):.2f} s" if seconds else ""
    return f"{difference.words} | {difference.error_rate:.1%} | {times} | {difference.duration:+.2f} s"


def _error_rate(reference: Sequence[str], hypothesis: Sequence[str]) -> float:
    if not reference:
        return float(bool(hypothesis))
    return float(jiwer.wer(" ".join(reference), " ".join(hypothesis)))


def _equal(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The places of the words that both have, in order."""
    if not old or not new:
        return
    for chunk in jiwer.process_words([" ".join(old)], [" ".join(new)]).alignments[0]:
        if chunk.type == "equal":
            old_places = range(chunk.ref_start_idx, chunk.ref_end_idx)
            yield from zip(old_places, range(chunk.hyp_start_idx, chunk.hyp_end_idx), strict=True)


if __name__ == "__main__":
    main()
