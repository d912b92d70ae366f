"""The batch: slots that share each decode step; each has a language, task, prompt and temperature of its own.

A slot is taken when its window is encoded and freed when its sequence is done with the window, both between two steps.
Slots in use stay next to each other in the KV cache, so that a step reads it without a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from whisper_runtime.engine.batching.sampling import Sampler, sample
from whisper_runtime.engine.model.cuda_graphs import DecodeStep
from whisper_runtime.engine.model.decoder import Decoder
from whisper_runtime.engine.model.kv_cache import KVCache
from whisper_runtime.engine.policy.queries import DecodedTokens, DecodingParams, Window
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer


@dataclass(eq=False)
class BatchSlot:
    """A row of the batch, and the tokens that are decoded in it."""

    window: Window
    cache: KVCache
    row: int
    """In the cache; it changes when an earlier slot is freed."""
    params: DecodingParams | None = None
    """None until the first decoding of the window starts."""
    tokens: list[int] = field(default_factory=list[int])
    """Sampled tokens, without the prompt."""
    logprobs: list[float] = field(default_factory=list[float])
    no_speech_prob: float = 0.0
    result: DecodedTokens | None = None
    """None while the window is being decoded."""

    @property
    def length(self) -> int:
        """Prompt and sampled tokens; the last one is written to the cache by the next step."""
        return len(self.params.prompt) + len(self.tokens) if self.params else 0


class Batch:
    def __init__(
        self, decoder: Decoder, tokenizer: ModelTokenizer, sampler: Sampler, cache: KVCache, step: DecodeStep
    ) -> None:
        """`step` decodes the rows of `cache`, one for each slot."""
        self._decoder, self._tokenizer, self._sampler = decoder, tokenizer, sampler
        self._cache, self._step = cache, step
        self.capacity = cache.rows
        self.slots: list[BatchSlot] = []
        """The slots in use; their order is that of the cache's rows."""

    @property
    def num_free(self) -> int:
        return self.capacity - len(self.slots)

    def allocate(self, window: Window, features: torch.Tensor) -> BatchSlot:
        """A slot for `window`, whose encoding is `features`, (1, n_audio_ctx, n_audio_state)."""
        slot = BatchSlot(window, self._cache, len(self.slots))
        self._decoder.cache_window(features, self._cache, slot.row)
        self.slots.append(slot)
        return slot

    def free(self, slot: BatchSlot) -> None:
        """Give the slot's row up; the last slot moves into it."""
        last = self.slots.pop()
        if last is not slot:
            self._cache.move(last.row, slot.row, last.length)
            self.slots[slot.row] = last
            last.row = slot.row

    def prefill(self, slot: BatchSlot, params: DecodingParams) -> None:
        """Start decoding: run the prompt through the decoder and sample the first token."""
        slot.params, slot.tokens, slot.logprobs, slot.result = params, [], [], None
        hidden = self._decoder([params.prompt], [0], self._cache, slot.row)[0]
        logits = self._decoder.logits(hidden[[params.sot_index, -1]])
        slot.no_speech_prob = self._tokenizer.no_speech_prob(logits[0])
        self._sample([slot], logits[1:])

    def decode(self, first_row: int, count: int) -> None:
        """One decode step: one more token for each of `count` slots from `first_row` on."""
        slots = self.slots[first_row : first_row + count]
        logits = self._step([slot.tokens[-1] for slot in slots], [slot.length - 1 for slot in slots], first_row)
        self._sample(slots, logits)

    def _sample(self, slots: Sequence[BatchSlot], logits: torch.Tensor) -> None:
        params = [slot.params for slot in slots if slot.params]
        self._sampler.mask(logits, [slot.tokens for slot in slots], params)
        for slot, of_slot, token, logprob in zip(slots, params, *sample(logits, params), strict=True):
            slot.logprobs.append(logprob)
            slot.tokens.append(token)
            if token == self._sampler.eot or self._sampler.is_full(of_slot, len(slot.tokens)):
                slot.result = _result(slot, self._sampler.eot)


def _result(slot: BatchSlot, eot: int) -> DecodedTokens:
    tokens = slot.tokens[:-1] if slot.tokens[-1] == eot else slot.tokens
    return DecodedTokens(tuple(tokens), tuple(slot.logprobs), sum(slot.logprobs), slot.no_speech_prob)
