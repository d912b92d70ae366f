"""The tokens of one model: its tokenizers, the prompt of a window, and what logits say of speech and language."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from whisper.tokenizer import Tokenizer, get_tokenizer

from whisper_runtime.engine.generation import OPENAI_RULES, GenerationRules
from whisper_runtime.engine.policy.logits_processor import Vocabulary, vocabulary
from whisper_runtime.engine.policy.queries import DecodingParams, DetectedLanguage


@dataclass(frozen=True)
class ModelTokenizer:
    """The facts of a model's dimensions that tokens depend on (whisper/model.py, ModelDimensions)."""

    is_multilingual: bool
    num_languages: int
    n_vocab: int
    n_text_ctx: int
    rules: GenerationRules = OPENAI_RULES

    @cached_property
    def english(self) -> Tokenizer:
        """For whatever is the same in every language."""
        return self.for_language("en", "transcribe")

    def for_language(self, language: str, task: str) -> Tokenizer:
        """`language` is an ISO-639-1 code; an English-only model's tokenizer ignores both."""
        return get_tokenizer(self.is_multilingual, num_languages=self.num_languages, language=language, task=task)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return vocabulary(self.english, self.n_vocab, self.rules)

    def params(
        self, tokenizer: Tokenizer, earlier: Sequence[int], *, timestamps: bool, keywords: Sequence[int] = ()
    ) -> DecodingParams:
        """Greedy parameters, whose prompt is the `keywords`, the end of `earlier` text, as far as half of the context
        holds it beside them, and then the special tokens (decoding.py, _get_initial_tokens; transcribe.py,
        carry_initial_prompt)."""
        special = tokenizer.sot_sequence if timestamps else tokenizer.sot_sequence_including_notimestamps
        room = self.n_text_ctx // 2 - 1
        kept = [*keywords[:room], *earlier[max(0, len(earlier) - max(0, room - len(keywords))) :]]
        before = [tokenizer.sot_prev, *kept] if kept else []
        return DecodingParams((*before, *special), len(before), timestamps)

    def no_speech_prob(self, logits: torch.Tensor) -> float:
        """From the logits (n_vocab) at <|startoftranscript|>."""
        return float(logits.softmax(dim=-1)[self.english.no_speech])

    def detect_language(self, logits: torch.Tensor, among: Collection[str] = ()) -> DetectedLanguage:
        """The likeliest language, from the logits (n_vocab) after <|startoftranscript|> (decoding.py).

        `among`: codes of the languages that it may be, empty: any. The probability is that among all languages.
        """
        codes = self.english.all_language_codes
        probabilities = logits[list(self.english.all_language_tokens)].softmax(dim=-1)
        wanted = [index for index, code in enumerate(codes) if not among or code in among]
        best = wanted[int(probabilities[wanted].argmax())]
        return DetectedLanguage(codes[best], float(probabilities[best]))
