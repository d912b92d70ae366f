"""The word error rate of a transcription; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence


def word_error_rate(expected: str, found: str) -> float:
    """Edits (insert, delete or substitute a word) from one text to the other, divided by the number of expected words.

    Case and punctuation do not count. Above 1 where more words are inserted than expected.
    """
    reference = _words(expected)
    return _edits(reference, _words(found)) / max(1, len(reference))


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def _edits(reference: Sequence[str], found: Sequence[str]) -> int:
    """Levenshtein's distance over words."""
    row = list(range(len(found) + 1))
    for i, expected in enumerate(reference, 1):
        above, row[0] = row[0], i
        for j, word in enumerate(found, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (expected != word))
    return row[-1]
