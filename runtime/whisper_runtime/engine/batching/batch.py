"""The batch: slots that share each decode step; each has a language, task, prompt and temperature of its own.

A slot is taken when its window is encoded and freed when its sequence is done with the window, both between two steps.
Slots in use stay next to each other in the KV cache, so that a step reads it without a copy.

Where steps are replayed, a new row takes part in them at once: the tokens of a short prompt, or the one by which a
language is detected, are read one in a step, beside the tokens that others sample. Elsewhere each prompt is a pass of
its own, in which its weights are read once for all of its tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import torch

from whisper_runtime.engine.batching.sampling import (
    LANGUAGE,
    LANGUAGE_PROBABILITY,
    LOGPROB,
    NO_SPEECH,
    TOKEN,
    Sampler,
    any_in_column,
    to_list,
)
from whisper_runtime.engine.model.cuda_graphs import DecodeStep, StepRow
from whisper_runtime.engine.model.decoder import Decoder
from whisper_runtime.engine.model.kv_cache import KVCache
from whisper_runtime.engine.policy.queries import DecodedTokens, DecodingParams, DetectedLanguage, Query, Window
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer

STEPPED_PROMPT: Final = 8
"""Tokens of a prompt that are read one in a step, where steps are replayed: its special tokens, and no earlier text."""


@dataclass(eq=False)
class BatchSlot:
    """A row of the batch, and the tokens that are decoded in it."""

    window: Window
    cache: KVCache
    row: int
    """In the cache; it changes when an earlier slot is freed."""
    asked: Query | None = None
    """The query whose result is being computed, or was last."""
    prompt: tuple[int, ...] = ()
    params: DecodingParams | None = None
    """None: the language is being detected, or nothing was asked yet."""
    written: int = 0
    """Tokens of the row in the cache; the next one is the prompt's, or the last one sampled."""
    tokens: list[int] = field(default_factory=list[int])
    """Sampled tokens, without the prompt."""
    logprobs: list[float] = field(default_factory=list[float])
    no_speech_prob: float = 0.0
    result: DecodedTokens | DetectedLanguage | None = None
    """None while it is being computed."""

    def begin(self, prompt: tuple[int, ...], params: DecodingParams | None) -> None:
        self.prompt, self.params, self.written, self.result = prompt, params, 0, None
        self.tokens, self.logprobs = [], []

    @property
    def next_token(self) -> int:
        """The one that the next step reads."""
        return self.prompt[self.written] if self.written < len(self.prompt) else self.tokens[-1]

    @property
    def at_sot(self) -> bool:
        """Whether the next step reads <|startoftranscript|>, after which speech and language are known."""
        return self.written == (self.params.sot_index if self.params else 0)

    @property
    def samples(self) -> DecodingParams | None:
        """How a token is sampled from what the next step computes; None: it reads the prompt, and none is."""
        return self.params if self.written >= len(self.prompt) - 1 else None


class Batch:
    def __init__(
        self, decoder: Decoder, tokenizer: ModelTokenizer, sampler: Sampler, cache: KVCache, step: DecodeStep
    ) -> None:
        """`step` decodes the rows of `cache`, one for each slot, and finds what `sampler` chooses."""
        self._decoder, self._tokenizer, self._sampler = decoder, tokenizer, sampler
        self._cache, self._step = cache, step
        self.capacity = cache.rows
        self.slots: list[BatchSlot] = []
        """The slots in use; their order is that of the cache's rows."""

    @property
    def num_free(self) -> int:
        return self.capacity - len(self.slots)

    def allocate(self, windows: Sequence[Window], features: torch.Tensor) -> list[BatchSlot]:
        """A slot for each window; `features`, (window, n_audio_ctx, n_audio_state), is what they are encoded as."""
        first = len(self.slots)
        if windows:
            self._decoder.cache_windows(features, self._cache, first)
        taken = [BatchSlot(window, self._cache, row) for row, window in enumerate(windows, first)]
        self.slots += taken
        return taken

    def free(self, slot: BatchSlot) -> None:
        """Give the slot's row up; the last slot moves into it."""
        last = self.slots.pop()
        if last is not slot:
            self._cache.move(last.row, slot.row, last.written)
            self.slots[slot.row] = last
            last.row = slot.row

    def prefill(self, slot: BatchSlot, params: DecodingParams) -> None:
        """Start to decode the slot's window: its prompt, and the first token."""
        slot.begin(params.prompt, params)
        if self._step.is_recorded and len(params.prompt) <= STEPPED_PROMPT:
            return
        hidden = self._decoder([params.prompt], [0], self._cache, slot.row)[0]
        logits = self._decoder.logits(hidden[[params.sot_index, -1]])
        slot.written = len(params.prompt) - 1
        rules = [self._sampler.rules((), None, at_sot=True), self._sampler.rules((), params, at_sot=False)]
        present = any_in_column(rules)
        found = self._sampler.choose(logits, torch.tensor(rules, device=logits.device), present)
        self._sampler.draw_rows(found, logits, [None, params])
        at_sot, at_end = to_list(found)
        self._take(slot, at_end)
        slot.no_speech_prob = at_sot[NO_SPEECH]

    def detect_language(self, slot: BatchSlot, among: Collection[str] = ()) -> None:
        """Start to detect the language of the slot's window (see ModelTokenizer).

        A recorded step knows the likeliest of all languages alone: for a choice `among` some, the token has a pass of
        its own.
        """
        slot.begin((self._tokenizer.english.sot,), None)
        if not self._step.is_recorded or among:
            hidden = self._decoder([slot.prompt], [0], self._cache, slot.row)
            slot.result = self._tokenizer.detect_language(self._decoder.logits(hidden)[0, 0], among)

    def decode(self, first_row: int, count: int) -> bool:
        """One decode step: one more token for each of `count` slots from `first_row` on. Return whether the step was
        replayed."""
        slots = self.slots[first_row : first_row + count]
        step = self._step([self._row(slot) for slot in slots], first_row)
        self._sampler.draw_rows(step.found, step.logits, [slot.samples for slot in slots])
        for slot, found in zip(slots, to_list(step.found), strict=True):
            self._take(slot, found)
        return step.is_replayed

    def _row(self, slot: BatchSlot) -> StepRow:
        return (slot.next_token, slot.written, *self._sampler.rules(slot.tokens, slot.samples, at_sot=slot.at_sot))

    def _take(self, slot: BatchSlot, found: Sequence[float]) -> None:
        """What a step has found for the slot."""
        params = slot.samples
        if slot.params is None:
            code = self._tokenizer.english.all_language_codes[int(found[LANGUAGE])]
            slot.result = DetectedLanguage(code, found[LANGUAGE_PROBABILITY])
        elif slot.at_sot:
            slot.no_speech_prob = found[NO_SPEECH]
        slot.written += 1
        if params is None:
            return
        token = int(found[TOKEN])
        slot.tokens.append(token)
        slot.logprobs.append(found[LOGPROB])
        if token == self._sampler.eot or self._sampler.is_full(params, len(slot.tokens)):
            slot.result = _result(slot, self._sampler.eot)


def _result(slot: BatchSlot, eot: int) -> DecodedTokens:
    tokens = slot.tokens[:-1] if slot.tokens[-1] == eot else slot.tokens
    return DecodedTokens(tuple(tokens), tuple(slot.logprobs), sum(slot.logprobs), slot.no_speech_prob)
