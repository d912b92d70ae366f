"""Several continuations of one window at once: beam search at temperature 0, the best of several samples above it.

A search has a KV cache of its own, in which all rows attend to the one window (whisper/decoding.py: BeamSearchDecoder,
GreedyDecoder with n_group, MaximumLikelihoodRanker).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import torch

from whisper_runtime.engine.batching.sampling import Sampler, sample, to_list
from whisper_runtime.engine.model.kv_cache import KVCache
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.policy.queries import DecodedTokens, DecodingParams, DetectedLanguage, Query, Window
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer

DEFAULT_PATIENCE: Final = 1.0


@dataclass(frozen=True)
class Candidate:
    """One continuation: a beam, or one of several samples."""

    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    """One for each of `tokens`."""
    sum_logprob: float = 0.0

    def extended(self, token: int, logprob: float, sum_logprob: float) -> Candidate:
        return Candidate((*self.tokens, token), (*self.logprobs, logprob), sum_logprob)


@dataclass(eq=False)
class SearchSlot:
    """A slot beside the batch for one window that is searched; it has the attributes of a BatchSlot."""

    model: WhisperModel
    tokenizer: ModelTokenizer
    sampler: Sampler
    window: Window
    features: torch.Tensor
    """(1, n_audio_ctx, n_audio_state)"""
    asked: Query | None = None
    """The query whose result is being computed, or was last."""
    params: DecodingParams | None = None
    """None until the first decoding of the window starts."""
    result: DecodedTokens | DetectedLanguage | None = None
    """None while it is being computed."""
    row: int = 0
    """For queries that need a single row of the cache."""
    _going: list[Candidate] = field(default_factory=list[Candidate])
    """One for each row of the cache, all of the same length."""
    _ended: list[Candidate] = field(default_factory=list[Candidate])
    """Beams that ended with <|endoftext|>."""
    _cache: KVCache | None = None
    _no_speech_prob: float = 0.0

    @property
    def cache(self) -> KVCache:
        """The cache of the last decoding, else one of a single row."""
        return self._cache or self._cache_for(1)

    def prefill(self, params: DecodingParams) -> None:
        """Start decoding: run the prompt through the decoder and choose the first tokens."""
        count, self.params, self.result = params.num_candidates, params, None
        self._going, self._ended = [Candidate() for _ in range(count)], []
        hidden = self.model.decoder([params.prompt] * count, [0] * count, self._cache_for(count))
        logits = self.model.decoder.logits(hidden[:, [params.sot_index, -1]])
        self._no_speech_prob = self.tokenizer.no_speech_prob(logits[0, 0])
        self._choose(params, logits[:, 1])

    def detect_language(self, among: Collection[str] = ()) -> None:
        """Detect the language of the window, at once (see ModelTokenizer)."""
        hidden = self.model.decoder([[self.tokenizer.english.sot]], [0], self.cache, self.row)
        self.result = self.tokenizer.detect_language(self.model.decoder.logits(hidden)[0, 0], among)

    def decode(self) -> None:
        """One decode step: one more token for each candidate. Call it after `prefill` alone."""
        params, count = self.params, len(self._going)
        assert params is not None
        start = len(params.prompt) + len(self._going[0].tokens) - 1
        last = [[candidate.tokens[-1]] for candidate in self._going]
        hidden = self.model.decoder(last, [start] * count, self.cache)
        self._choose(params, self.model.decoder.logits(hidden[:, -1]))

    def _cache_for(self, candidates: int) -> KVCache:
        """Allocated anew where the number of rows differs from the last decoding's."""
        if self._cache is None or self._cache.rows != candidates:
            self._cache = self.model.decoder.new_cache(candidates, self.model.dims.n_audio_ctx, shared=True)
            self.model.decoder.cache_windows(self.features, self._cache, 0)
        return self._cache

    def _choose(self, params: DecodingParams, logits: torch.Tensor) -> None:
        self.sampler.mask(logits, [one.tokens for one in self._going], [params] * len(self._going))
        is_over = self._extend_beams(params, logits) if params.beam_size else self._extend_samples(params, logits)
        if is_over or self.sampler.is_full(params, len(self._going[0].tokens)):
            self.result = self._best(params)

    def _extend_samples(self, params: DecodingParams, logits: torch.Tensor) -> bool:
        """Sample a token for each candidate that has not ended; return whether all have."""
        eot = self.sampler.eot
        sampled = zip(*sample(logits, [params] * len(self._going)), strict=True)
        self._going = [
            candidate.extended(eot, 0.0, candidate.sum_logprob)
            if candidate.tokens[-1:] == (eot,)
            else candidate.extended(token, logprob, candidate.sum_logprob + logprob)
            for candidate, (token, logprob) in zip(self._going, sampled, strict=True)
        ]
        return all(candidate.tokens[-1] == eot for candidate in self._going)

    def _extend_beams(self, params: DecodingParams, logits: torch.Tensor) -> bool:
        """Keep the likeliest continuations of all beams; return whether enough of them have ended."""
        count = len(self._going)
        going, sources, ended = rank_beams(_continuations(self._going, logits), count, self.sampler.eot)
        self.cache.reorder(sources, len(params.prompt) + len(self._going[0].tokens))
        self._going = going
        wanted = round(count * (params.patience or DEFAULT_PATIENCE))
        self._ended += ended[: max(0, wanted - len(self._ended))]
        return len(self._ended) >= wanted

    def _best(self, params: DecodingParams) -> DecodedTokens:
        """The candidate with the highest log-probability for each token."""
        eot = self.sampler.eot
        candidates = self._going
        if params.beam_size:
            missing = max(0, params.beam_size - len(self._ended))
            going = sorted(self._going, key=lambda candidate: candidate.sum_logprob, reverse=True)
            candidates = [*self._ended, *going[:missing]]
        best = max(candidates, key=lambda one: one.sum_logprob / max(1, len(_before_eot(one, eot))))
        text = _before_eot(best, eot)
        return DecodedTokens(text, best.logprobs[: len(text) + 1], best.sum_logprob, self._no_speech_prob)


def rank_beams(
    continuations: list[tuple[Candidate, int]], count: int, eot: int
) -> tuple[list[Candidate], list[int], list[Candidate]]:
    """The likeliest `count` that go on; the rows that they come from; and the likelier ones that ended with `eot`.

    `continuations` are pairs of a candidate and the row of the cache that it continues (decoding.py,
    BeamSearchDecoder.update).
    """
    going: list[Candidate] = []
    sources: list[int] = []
    ended: list[Candidate] = []
    for candidate, source in sorted(continuations, key=lambda one: one[0].sum_logprob, reverse=True):
        if candidate.tokens[-1] == eot:
            ended.append(candidate)
            continue
        going.append(candidate)
        sources.append(source)
        if len(going) == count:
            break
    return going, sources, ended


def _continuations(going: list[Candidate], logits: torch.Tensor) -> list[tuple[Candidate, int]]:
    """The likeliest continuations of each candidate, one more than there are candidates, and its row; equal ones once.

    `logits` is (row, n_vocab), masked.
    """
    best = logits.log_softmax(dim=-1).topk(len(going) + 1)
    so_far = torch.tensor([candidate.sum_logprob for candidate in going], device=logits.device)
    sums = so_far[:, None] + best.values
    found: dict[tuple[int, ...], tuple[Candidate, int]] = {}
    for source, (candidate, tokens, logprobs, of_source) in enumerate(
        zip(going, to_list(best.indices), to_list(best.values), to_list(sums), strict=True)
    ):
        for token, logprob, sum_logprob in zip(tokens, logprobs, of_source, strict=True):
            longer = candidate.extended(token, logprob, sum_logprob)
            found[longer.tokens] = longer, source
    return list(found.values())


def _before_eot(candidate: Candidate, eot: int) -> tuple[int, ...]:
    return candidate.tokens[: candidate.tokens.index(eot)] if eot in candidate.tokens else candidate.tokens
