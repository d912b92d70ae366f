"""Which tokens may come next, for all rows of a batch at once (whisper/decoding.py: SuppressBlank, SuppressTokens,
ApplyTimestampRules)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from whisper.tokenizer import Tokenizer

NEVER: Final = -torch.inf
MAX_INITIAL_TIMESTAMP: Final = 50
"""Steps of 20 ms: a window's first timestamp is at most one second."""


@dataclass(frozen=True)
class Vocabulary:
    """The token ids that the rules speak of; they are the same for every language and task of a model."""

    size: int
    eot: int
    no_timestamps: int
    first_timestamp: int
    blank: tuple[int, ...]
    """What may not come first: a lone space, the end."""
    suppressed: tuple[int, ...]
    """What never comes: symbols that are not spoken, and tokens that steer the decoder."""


def vocabulary(tokenizer: Tokenizer, size: int) -> Vocabulary:
    steering = (tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm)
    return Vocabulary(
        size,
        tokenizer.eot,
        tokenizer.no_timestamps,
        tokenizer.timestamp_begin,
        (*tokenizer.encode(" "), tokenizer.eot),  # pyright: ignore[reportUnknownMemberType]
        tuple(sorted({*tokenizer.non_speech_tokens, *steering, tokenizer.no_speech})),
    )


@dataclass(frozen=True)
class Bounds:
    """What one row may say next: text from `text_from` on, timestamps from `time_from` to `time_to`."""

    text_from: int
    time_from: int
    time_to: int
    is_first: bool
    is_timed: bool


def bounds(said: Sequence[int], timed: bool, words: Vocabulary) -> Bounds:
    """The bounds after the sampled tokens `said`: timestamps come in pairs, and never go back."""
    first, last = words.first_timestamp, words.size - 1
    if not timed:
        return Bounds(0, first, last, not said, False)
    if not said:
        return Bounds(first, first, first + MAX_INITIAL_TIMESTAMP, True, True)
    after_time = said[-1] >= first
    pair_is_full = len(said) < 2 or said[-2] >= first
    if after_time and pair_is_full:
        return Bounds(0, words.size, last, False, True)
    latest = next((token for token in reversed(said) if token >= first), None)
    earliest = first if latest is None else latest if after_time else latest + 1
    return Bounds(words.eot if after_time else 0, earliest, last, False, True)


class Filters:
    def __init__(self, words: Vocabulary, device: torch.device) -> None:
        self._words = words
        self._ids = torch.arange(words.size, device=device)
        self._times = self._ids[words.first_timestamp :]
        self._blank = torch.tensor(words.blank, device=device)
        never = torch.zeros(words.size, device=device)
        never[list(words.suppressed)] = NEVER
        self._never = never
        self._device = device

    def __call__(self, logits: torch.Tensor, rows: Sequence[Bounds]) -> None:
        """Sets what each row may not say to minus infinity; `logits` is (row, n_vocab), float32, changed in place."""
        first = self._words.first_timestamp
        text_from, time_from, time_to, is_first, is_timed = (
            torch.tensor(column, device=self._device)[:, None]
            for column in zip(
                *((row.text_from, row.time_from, row.time_to, row.is_first, row.is_timed) for row in rows), strict=True
            )
        )
        logits += self._never
        times = logits[:, first:]
        times.masked_fill_((self._times < time_from) | (self._times > time_to), NEVER)
        if any(row.is_first for row in rows):
            logits[:, self._blank] = torch.where(is_first, NEVER, logits[:, self._blank])
        if any(row.text_from for row in rows):
            logits.masked_fill_(self._ids < text_from, NEVER)
        if any(row.is_timed for row in rows):
            no_timestamps = logits[:, self._words.no_timestamps, None]
            logits[:, self._words.no_timestamps, None] = torch.where(is_timed, NEVER, no_timestamps)
            # Where some timestamp is likelier than any text, it is a timestamp.
            text = logits[:, :first]
            is_time = is_timed & (times.logsumexp(-1, keepdim=True) > text.amax(-1, keepdim=True))
            if bool(is_time.any()):
                text.masked_fill_(is_time, NEVER)
