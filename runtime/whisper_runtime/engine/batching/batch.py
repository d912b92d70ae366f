"""The rows that are decoded together; each has a language, task, prompt and temperature of its own.

A row joins when its window is encoded and leaves when its request is done with the window, both between two steps.
Rows stay next to each other in the cache, so that a step reads it without a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import torch

from whisper_runtime.engine.batching.sampling import pick
from whisper_runtime.engine.model.cuda_graphs import steps
from whisper_runtime.engine.model.decoder import Cache
from whisper_runtime.engine.model.load import Model
from whisper_runtime.engine.policy.logit_filters import Filters, bounds
from whisper_runtime.engine.policy.queries import Said, Script, Window
from whisper_runtime.engine.policy.tokens import Tokens

SAMPLED_AT_MOST: Final = 224
"""Tokens of one window: half of the decoder's context (decoding.py, sample_len)."""


@dataclass(eq=False)
class Row:
    window: Window
    cache: Cache
    index: int
    script: Script | None = None
    said: list[int] = field(default_factory=list[int])
    logprobs: list[float] = field(default_factory=list[float])
    no_speech_prob: float = 0.0
    result: Said | None = None
    """Once the script is spoken to its end."""

    @property
    def length(self) -> int:
        """Tokens in the cache, with the last one, which the next step writes."""
        return len(self.script.prompt) + len(self.said) if self.script else 0


class Batch:
    def __init__(self, model: Model, tokens: Tokens, capacity: int) -> None:
        self._model, self._tokens = model, tokens
        self._filters = Filters(tokens.vocabulary, model.device)
        self.cache = model.decoder.cache(capacity, model.dims.n_audio_ctx)
        self._steps = steps(model.decoder, self.cache)
        self.capacity = capacity
        self.rows: list[Row] = []

    @property
    def free(self) -> int:
        return self.capacity - len(self.rows)

    def join(self, window: Window, features: torch.Tensor) -> Row:
        """A place for this window, whose encoding is `features` (1, n_audio_ctx, n_audio_state)."""
        row = Row(window, self.cache, len(self.rows))
        self._model.decoder.listen(features, self.cache, row.index)
        self.rows.append(row)
        return row

    def leave(self, row: Row) -> None:
        """Gives the place up; the last row moves into it."""
        last = self.rows.pop()
        if last is not row:
            self.cache.move(last.index, row.index, last.length)
            self.rows[row.index] = last
            last.index = row.index

    def start(self, row: Row, script: Script) -> None:
        """Reads the script's prompt and says the first token."""
        row.script, row.said, row.logprobs, row.result = script, [], [], None
        hidden = self._model.decoder([script.prompt], [0], self.cache, row.index)[0]
        logits = self._model.decoder.logits(hidden[[script.sot, -1]])
        row.no_speech_prob = self._tokens.no_speech_prob(logits[0])
        self._say([row], logits[1:])

    def step(self, first: int = 0, count: int | None = None) -> None:
        """One more token for each row, or for `count` of them from `first` on."""
        rows = self.rows[first:] if count is None else self.rows[first : first + count]
        self._say(rows, self._steps([row.said[-1] for row in rows], [row.length - 1 for row in rows], first))

    def _say(self, rows: Sequence[Row], logits: torch.Tensor) -> None:
        scripts = [row.script for row in rows if row.script]
        limits = [
            bounds(row.said, script.timed, self._tokens.vocabulary) for row, script in zip(rows, scripts, strict=True)
        ]
        self._filters(logits, limits)
        for row, token, logprob in zip(rows, *pick(logits, scripts), strict=True):
            row.logprobs.append(logprob)
            row.said.append(token)
            if self._is_over(row):
                row.result = _result(row, self._tokens.vocabulary.eot)

    def _is_over(self, row: Row) -> bool:
        return (
            row.said[-1] == self._tokens.vocabulary.eot
            or len(row.said) == SAMPLED_AT_MOST
            or row.length > self._model.dims.n_text_ctx
        )


def _result(row: Row, eot: int) -> Said:
    tokens = row.said[:-1] if row.said[-1] == eot else row.said
    return Said(tuple(tokens), tuple(row.logprobs), sum(row.logprobs), row.no_speech_prob)
