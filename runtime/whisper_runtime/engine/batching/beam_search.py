"""Several continuations of one window at once: beam search at temperature 0, the best of several samples above it.

A search has a cache of its own, in which all rows listen to the one window (whisper/decoding.py: BeamSearchDecoder,
GreedyDecoder with n_group, MaximumLikelihoodRanker).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import torch

from whisper_runtime.engine.batching.batch import SAMPLED_AT_MOST
from whisper_runtime.engine.batching.sampling import listed, pick
from whisper_runtime.engine.model.decoder import Cache
from whisper_runtime.engine.model.load import Model
from whisper_runtime.engine.policy.logit_filters import Filters, bounds
from whisper_runtime.engine.policy.queries import Said, Script, Window
from whisper_runtime.engine.policy.tokens import Tokens

DEFAULT_PATIENCE: Final = 1.0


@dataclass
class Branch:
    """One continuation: its tokens with their log-probabilities, and the sum of those."""

    said: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    total: float = 0.0

    def and_then(self, token: int, logprob: float, total: float) -> Branch:
        return Branch((*self.said, token), (*self.logprobs, logprob), total)


@dataclass(eq=False)
class Search:
    """The one place of a window that is searched; it offers what a row of the batch offers."""

    model: Model
    tokens: Tokens
    filters: Filters
    window: Window
    features: torch.Tensor
    """(1, n_audio_ctx, n_audio_state)"""
    result: Said | None = None
    index: int = 0
    _branches: list[Branch] = field(default_factory=list[Branch])
    _ended: list[Branch] = field(default_factory=list[Branch])
    script: Script | None = None
    _cache: Cache | None = None
    _no_speech_prob: float = 0.0

    def cache_for(self, candidates: int) -> Cache:
        """Made anew where it has another number of rows."""
        if self._cache is None or self._cache.rows != candidates:
            self._cache = self.model.decoder.cache(candidates, self.model.dims.n_audio_ctx, shared=True)
            self.model.decoder.listen(self.features, self._cache, 0)
        return self._cache

    @property
    def cache(self) -> Cache:
        """The one there is, for a question that needs a single row."""
        return self._cache or self.cache_for(1)

    def start(self, script: Script) -> None:
        count, self.script, self.result = script.candidates, script, None
        self._branches, self._ended = [Branch() for _ in range(count)], []
        hidden = self.model.decoder([script.prompt] * count, [0] * count, self.cache_for(count))
        logits = self.model.decoder.logits(hidden[:, [script.sot, -1]])
        self._no_speech_prob = self.tokens.no_speech_prob(logits[0, 0])
        self._choose(script, logits[:, 1])

    def step(self) -> None:
        script, count = self.script, len(self._branches)
        assert script is not None
        length = len(script.prompt) + len(self._branches[0].said) - 1
        last = [[branch.said[-1]] for branch in self._branches]
        hidden = self.model.decoder(last, [length] * count, self.cache)
        self._choose(script, self.model.decoder.logits(hidden[:, -1]))

    def _choose(self, script: Script, logits: torch.Tensor) -> None:
        words = self.tokens.vocabulary
        self.filters(logits, [bounds(branch.said, script.timed, words) for branch in self._branches])
        is_over = self._beam(script, logits) if script.beam_size else self._sample(script, logits)
        length = len(script.prompt) + len(self._branches[0].said)
        if is_over or len(self._branches[0].said) == SAMPLED_AT_MOST or length > self.model.dims.n_text_ctx:
            self.result = self._best(script)

    def _sample(self, script: Script, logits: torch.Tensor) -> bool:
        """Each branch goes its own way until it has ended; whether all have."""
        eot = self.tokens.vocabulary.eot
        picked = zip(*pick(logits, [script] * len(self._branches)), strict=True)
        self._branches = [
            branch.and_then(eot, 0.0, branch.total)
            if branch.said[-1:] == (eot,)
            else branch.and_then(token, logprob, branch.total + logprob)
            for branch, (token, logprob) in zip(self._branches, picked, strict=True)
        ]
        return all(branch.said[-1] == eot for branch in self._branches)

    def _beam(self, script: Script, logits: torch.Tensor) -> bool:
        """The likeliest continuations of all branches; whether enough of them have ended."""
        count, eot = len(self._branches), self.tokens.vocabulary.eot
        best = logits.log_softmax(dim=-1).topk(count + 1)
        totals = torch.tensor([branch.total for branch in self._branches], device=logits.device)
        sums = totals[:, None] + best.values
        found: dict[tuple[int, ...], tuple[Branch, int]] = {}
        for source, (branch, tokens, logprobs, reached) in enumerate(
            zip(self._branches, listed(best.indices), listed(best.values), listed(sums), strict=True)
        ):
            for token, logprob, total in zip(tokens, logprobs, reached, strict=True):
                longer = branch.and_then(token, logprob, total)
                found[longer.said] = longer, source
        going, sources, ended = self._ranked(list(found.values()), count, eot)
        self.cache.reorder(sources, len(script.prompt) + len(self._branches[0].said))
        self._branches = going
        wanted = round(count * (script.patience or DEFAULT_PATIENCE))
        self._ended += ended[: max(0, wanted - len(self._ended))]
        return len(self._ended) >= wanted

    @staticmethod
    def _ranked(found: list[tuple[Branch, int]], count: int, eot: int) -> tuple[list[Branch], list[int], list[Branch]]:
        """The best `count` that go on, which rows they come from, and those better than the last of them that ended."""
        going: list[Branch] = []
        sources: list[int] = []
        ended: list[Branch] = []
        for branch, source in sorted(found, key=lambda one: one[0].total, reverse=True):
            if branch.said[-1] == eot:
                ended.append(branch)
                continue
            going.append(branch)
            sources.append(source)
            if len(going) == count:
                break
        return going, sources, ended

    def _best(self, script: Script) -> Said:
        """The branch with the best log-probability for each token."""
        eot = self.tokens.vocabulary.eot
        candidates = self._branches
        if script.beam_size:
            missing = max(0, script.beam_size - len(self._ended))
            going = sorted(self._branches, key=lambda branch: branch.total, reverse=True)
            candidates = [*self._ended, *going[:missing]]
        best = max(candidates, key=lambda branch: branch.total / max(1, len(_text(branch, eot))))
        text = _text(best, eot)
        return Said(text, best.logprobs[: len(text) + 1], best.total, self._no_speech_prob)


def _text(branch: Branch, eot: int) -> tuple[int, ...]:
    """What was said before the end."""
    return branch.said[: branch.said.index(eot)] if eot in branch.said else branch.said
