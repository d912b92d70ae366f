"""The model's tokens: what steers the decoder, what is text, which language is spoken."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from whisper.tokenizer import Tokenizer, get_tokenizer

from whisper_runtime.engine.policy.logit_filters import Vocabulary, vocabulary
from whisper_runtime.engine.policy.queries import Language, Script


@dataclass(frozen=True)
class Tokens:
    """What is to be known of a model to write scripts for it and to read its logits."""

    is_multilingual: bool
    num_languages: int
    n_vocab: int
    n_text_ctx: int

    @cached_property
    def plain(self) -> Tokenizer:
        return self.of("en", "transcribe")

    def of(self, language: str, task: str) -> Tokenizer:
        return get_tokenizer(self.is_multilingual, num_languages=self.num_languages, language=language, task=task)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return vocabulary(self.plain, self.n_vocab)

    def script(self, tokenizer: Tokenizer, earlier: list[int], *, timed: bool) -> Script:
        """The prompt: earlier text, as far as half of the context holds it, then what steers (decoding.py)."""
        steering = tokenizer.sot_sequence if timed else tokenizer.sot_sequence_including_notimestamps
        before = [tokenizer.sot_prev, *earlier[-(self.n_text_ctx // 2 - 1) :]] if earlier else []
        return Script((*before, *steering), len(before), timed)

    def no_speech_prob(self, logits: torch.Tensor) -> float:
        """From the logits (n_vocab) at the start of the transcript."""
        return float(logits.softmax(dim=-1)[self.plain.no_speech])

    def language(self, logits: torch.Tensor) -> Language:
        """The likeliest of all languages, from the logits (n_vocab) after the start of the transcript."""
        probabilities = logits[list(self.plain.all_language_tokens)].softmax(dim=-1)
        best = int(probabilities.argmax())
        return Language(self.plain.all_language_codes[best], float(probabilities[best]))
