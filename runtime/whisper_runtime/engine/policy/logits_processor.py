"""Masks the tokens that may not come next, for all rows of a batch at once (whisper/decoding.py: SuppressBlank,
SuppressTokens, ApplyTimestampRules)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final, NamedTuple, cast

import torch
from whisper.tokenizer import Tokenizer

from whisper_runtime.engine.generation import OPENAI_RULES, GenerationRules


@dataclass(frozen=True)
class Vocabulary:
    """The token ids that the rules need; they are the same for every language and task of a model."""

    size: int
    eot: int
    no_timestamps: int
    first_timestamp: int
    """The lowest timestamp token, <|0.00|>; all ids from here on are timestamps, 20 ms apart."""
    blank: tuple[int, ...]
    """Tokens that may not come first: a lone space, <|endoftext|>."""
    suppressed: tuple[int, ...]
    """Tokens that never come: symbols that are not spoken, and special tokens of the prompt."""
    latest_initial: int
    """The highest timestamp that may come first."""


def vocabulary(tokenizer: Tokenizer, size: int, rules: GenerationRules = OPENAI_RULES) -> Vocabulary:
    """`size` is the model's n_vocab."""
    most = size if rules.max_initial_timestamp is None else rules.max_initial_timestamp
    special = (tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm)
    return Vocabulary(
        size,
        tokenizer.eot,
        tokenizer.no_timestamps,
        tokenizer.timestamp_begin,
        _or(rules.blank, (*tokenizer.encoding.encode_ordinary(" "), tokenizer.eot)),
        _or(rules.suppressed, tuple(sorted({*_non_speech_tokens(tokenizer), *special, tokenizer.no_speech}))),
        min(tokenizer.timestamp_begin + most, size - 1),
    )


def _non_speech_tokens(tokenizer: Tokenizer) -> tuple[int, ...]:
    """Its `non_speech_tokens`, without tiktoken's search for special tokens, of which none of those symbols is one.

    The search's regular expression has 1,600 alternatives: to compile it takes a quarter of a second of a start
    (tiktoken/core.py, _special_token_regex).
    """
    plain = SimpleNamespace(encoding=SimpleNamespace(encode=tokenizer.encoding.encode_ordinary))
    return Tokenizer.non_speech_tokens.func(cast(Tokenizer, plain))


def _or(given: tuple[int, ...] | None, default: tuple[int, ...]) -> tuple[int, ...]:
    return default if given is None else given


class TokenBounds(NamedTuple):
    """The ids that one row may sample next: text from `text_from` on, timestamps `time_from` to `time_to` inclusive."""

    text_from: int
    time_from: int
    time_to: int
    is_first: bool
    """Whether it is the window's first token."""
    timestamps: bool
    """Whether timestamps are sampled at all."""


def token_bounds(sampled: Sequence[int], timestamps: bool, vocabulary: Vocabulary) -> TokenBounds:
    """The bounds after the tokens `sampled` so far: timestamps come in pairs, and never decrease."""
    first, last = vocabulary.first_timestamp, vocabulary.size - 1
    if not timestamps:
        return TokenBounds(0, first, last, not sampled, False)
    if not sampled:
        return TokenBounds(first, first, vocabulary.latest_initial, True, True)
    after_timestamp = sampled[-1] >= first
    pair_is_full = len(sampled) < 2 or sampled[-2] >= first
    if after_timestamp and pair_is_full:
        return TokenBounds(0, vocabulary.size, last, False, True)
    latest = next((token for token in reversed(sampled) if token >= first), None)
    earliest = first if latest is None else latest if after_timestamp else latest + 1
    return TokenBounds(vocabulary.eot if after_timestamp else 0, earliest, last, False, True)


ALL_RULES: Final = (True,) * len(TokenBounds._fields)


class LogitsProcessor:
    def __init__(self, vocabulary: Vocabulary, device: torch.device) -> None:
        self._vocabulary = vocabulary
        self._ids = torch.arange(vocabulary.size, device=device)
        self._timestamps = self._ids[vocabulary.first_timestamp :]
        self._blank = torch.tensor(vocabulary.blank, dtype=torch.int64, device=device)
        suppressed = torch.zeros(vocabulary.size, device=device)
        suppressed[list(vocabulary.suppressed)] = -torch.inf
        self._suppressed = suppressed

    def __call__(self, logits: torch.Tensor, bounds: torch.Tensor, present: Sequence[bool] = ALL_RULES) -> None:
        """Set what each row may not sample to minus infinity; `logits` is (row, n_vocab), float32, changed in place.

        `bounds` is (row, 5), int64: the fields of each row's TokenBounds. `present`: for each field whether it is other
        than 0 in any row; a rule that no row has is left out. It is told, since a look at the tensor would wait for a
        GPU.
        """
        first = self._vocabulary.first_timestamp
        text_from, time_from, time_to = (bounds[:, column, None] for column in range(3))
        is_first, timestamps = (bounds[:, column, None].bool() for column in range(3, 5))
        logits += self._suppressed
        times = logits[:, first:]
        times.masked_fill_((self._timestamps < time_from) | (self._timestamps > time_to), -torch.inf)
        if present[3]:
            logits[:, self._blank] = logits[:, self._blank].masked_fill_(is_first, -torch.inf)
        if present[0]:
            logits.masked_fill_(self._ids < text_from, -torch.inf)
        if present[4]:
            self._apply_timestamp_rules(logits, timestamps)

    def _apply_timestamp_rules(self, logits: torch.Tensor, timestamps: torch.Tensor) -> None:
        """For rows where `timestamps`, (row, 1), is true: where all timestamps together are likelier than any text
        token, only timestamps stay."""
        first, no_timestamps = self._vocabulary.first_timestamp, self._vocabulary.no_timestamps
        logits[:, no_timestamps, None].masked_fill_(timestamps, -torch.inf)
        text, times = logits[:, :first], logits[:, first:]
        only_times = timestamps & (times.logsumexp(-1, keepdim=True) > text.amax(-1, keepdim=True))
        text.masked_fill_(only_times, -torch.inf)
