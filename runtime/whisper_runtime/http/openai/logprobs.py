"""Tokens as text with their probabilities, as OpenAI's `include[]=logprobs` shows them; pure."""

from __future__ import annotations

from collections.abc import Iterable

from whisper_runtime.engine.transcription import Segment
from whisper_runtime.http.openai.responses import Logprob
from whisper_runtime.http.openai.vocabulary import text_encoding


def token_logprobs(segments: Iterable[Segment], *, english_only: bool) -> list[Logprob]:
    """One entry for each token of text, in order; timestamps and other special tokens are left out."""
    encoding = text_encoding(english_only=english_only)
    return [
        _logprob(encoding.decode_single_token_bytes(token), logprob)
        for segment in segments
        for token, logprob in zip(segment.tokens, segment.token_logprobs, strict=True)
        if token < encoding.eot_token
    ]


def _logprob(piece: bytes, logprob: float) -> Logprob:
    return Logprob(token=piece.decode(errors="replace"), bytes=list(piece), logprob=logprob)
