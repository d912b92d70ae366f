"""Which token comes next in each row: the logits are masked, then the likeliest is taken, or one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import torch

from whisper_runtime.engine.policy.logits_processor import LogitsProcessor, TokenBounds, token_bounds
from whisper_runtime.engine.policy.queries import DecodingParams
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer

MAX_NEW_TOKENS: Final = 224
"""Tokens that are sampled for one window: half of the decoder's context (decoding.py, sample_len)."""

TOKEN, LOGPROB, NO_SPEECH, LANGUAGE, LANGUAGE_PROBABILITY = range(5)
"""The columns of what is found for each row; a language by its place among the model's."""


class Sampler:
    def __init__(self, tokenizer: ModelTokenizer, device: torch.device, max_new_tokens: int = MAX_NEW_TOKENS) -> None:
        self._vocabulary, self._n_text_ctx = tokenizer.vocabulary, tokenizer.n_text_ctx
        self._max_new_tokens = max_new_tokens
        self._process_logits = LogitsProcessor(tokenizer.vocabulary, device)
        self._no_speech = tokenizer.english.no_speech
        languages = tokenizer.english.all_language_tokens if tokenizer.is_multilingual else (0,)
        self._languages = torch.tensor(languages, device=device)

    @property
    def num_rules(self) -> int:
        """Of each row."""
        return 1 + len(TokenBounds._fields)

    @property
    def eot(self) -> int:
        return self._vocabulary.eot

    def mask(self, logits: torch.Tensor, sampled: Sequence[Sequence[int]], params: Sequence[DecodingParams]) -> None:
        """Set the tokens that may not come after `sampled`, those of each row so far, to minus infinity, in place.

        `logits` is (row, n_vocab), float32.
        """
        bounds = [
            token_bounds(tokens, of_row.timestamps, self._vocabulary)
            for tokens, of_row in zip(sampled, params, strict=True)
        ]
        self._process_logits(logits, torch.tensor(bounds, device=logits.device), any_in_column(bounds))

    def rules(self, sampled: Sequence[int], params: DecodingParams | None, *, at_sot: bool) -> tuple[int, ...]:
        """What `choose` needs to know of a row: whether its logits are `at_sot`, at <|startoftranscript|>, so that they
        show speech and language, and the bounds of its next token, after those `sampled` so far; `params` None: it
        samples none."""
        if params is None:
            return (at_sot, *TokenBounds(0, 0, self._vocabulary.size, False, False))
        return (at_sot, *token_bounds(sampled, params.timestamps, self._vocabulary))

    def choose(self, logits: torch.Tensor, rules: torch.Tensor, present: Sequence[bool]) -> torch.Tensor:
        """What is found for each row, (row, 5), float32, from its logits, (row, n_vocab), which are masked in place.

        `rules` is (row, n), int64; `present`: for each of its columns whether it is other than 0 in any row. Nothing is
        read by the host, so that all of it can be captured with the step.
        """
        found = self._speech_and_language(logits) if present[0] else logits.new_zeros(len(logits), 3)
        self._process_logits(logits, rules[:, 1:], present[1:])
        tokens = logits.argmax(dim=-1)
        return torch.cat([tokens[:, None].float(), log_probabilities(logits, tokens)[:, None], found], dim=1)

    def draw_rows(self, found: torch.Tensor, logits: torch.Tensor, params: Sequence[DecodingParams | None]) -> None:
        """Replace the likeliest token by one that is drawn, in rows with a temperature above 0; `found` and masked
        `logits` are those of `choose`."""
        drawn = {row: one for row, one in enumerate(params) if one and one.temperature > 0}
        if not drawn:
            return
        rows = torch.tensor([*drawn], device=logits.device)
        of_rows = logits[rows]
        tokens = draw(of_rows, [*drawn.values()])
        found[rows, TOKEN] = tokens.float()
        found[rows, LOGPROB] = log_probabilities(of_rows, tokens)

    def is_full(self, params: DecodingParams, num_sampled: int) -> bool:
        """Whether a row has no room for another token."""
        return num_sampled == self._max_new_tokens or len(params.prompt) + num_sampled > self._n_text_ctx

    def _speech_and_language(self, logits: torch.Tensor) -> torch.Tensor:
        """(row, 3): the probability of no speech, the likeliest language and its probability; all of it is meant for
        logits at <|startoftranscript|>."""
        no_speech = logits.softmax(dim=-1)[:, self._no_speech]
        language = logits[:, self._languages].softmax(dim=-1).max(dim=-1)
        return torch.stack([no_speech, language.indices.float(), language.values], dim=1)


def any_in_column(rows: Sequence[Sequence[int]]) -> list[bool]:
    """For each column whether it is other than 0 in any row."""
    return [any(column) for column in zip(*rows, strict=True)]


def sample(logits: torch.Tensor, params: Sequence[DecodingParams]) -> tuple[list[int], list[float]]:
    """For each row of masked `logits`, (row, n_vocab): a token, and its log-probability (at temperature 1, as
    upstream's)."""
    tokens = logits.argmax(dim=-1)
    drawn = [row for row, of_row in enumerate(params) if of_row.temperature > 0]
    if drawn:
        tokens[drawn] = draw(logits[drawn], [params[row] for row in drawn])
    return to_list(tokens), to_list(log_probabilities(logits, tokens))


def log_probabilities(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """(row,): that of each row's token."""
    return logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(dim=-1)


def draw(logits: torch.Tensor, params: Sequence[DecodingParams]) -> torch.Tensor:
    """A token for each row of (row, n_vocab), int64, by the row's temperature, which is above 0.

    By the inverse of the cumulative distribution: one random number a row, the same on every device.
    """
    temperatures = torch.tensor([of_row.temperature for of_row in params], device=logits.device)
    cumulative = (logits / temperatures[:, None]).softmax(dim=-1).double().cumsum(dim=-1)
    numbers = torch.cat([torch.rand(1, generator=of_row.generator, dtype=torch.float64) for of_row in params])
    targets = numbers.to(logits.device) * cumulative[:, -1]
    return torch.searchsorted(cumulative, targets[:, None], right=True)[:, 0].clamp_(max=logits.shape[-1] - 1)


def to_list(tensor: torch.Tensor) -> list[Any]:
    """The tensor's values on the host, which waits for the device."""
    return cast(list[Any], tensor.tolist())  # pyright: ignore[reportUnknownMemberType]
