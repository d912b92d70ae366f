"""Scripted results in the place of a model: they answer the queries of a request, one after the other."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future
from typing import Final

import numpy as np
import torch

from whisper_runtime.engine.batching.request import TranscriptionRequest
from whisper_runtime.engine.batching.sequence import WindowSequence
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.policy import mel
from whisper_runtime.engine.policy.queries import DecodedTokens, Pause, Query, QueryGenerator, QueryResult
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer
from whisper_runtime.engine.transcription import Options, Segment, Transcription

MODEL: Final = ModelTokenizer(is_multilingual=True, num_languages=99, n_vocab=51865, n_text_ctx=448)
TOKENIZER: Final = MODEL.for_language("en", "transcribe")


def spectrogram(samples: Samples) -> Generator[Pause, None, torch.Tensor]:
    return mel.spectrogram(samples, 80, torch.device("cpu"))


def decoded(*pieces: str | float, logprob: float = -0.3, no_speech_prob: float = 0.01) -> DecodedTokens:
    """Words as text, times in seconds as timestamp tokens."""
    tokens = [
        token
        for piece in pieces
        for token in (
            TOKENIZER.encode(piece) if isinstance(piece, str) else [TOKENIZER.timestamp_begin + round(piece / 0.02)]
        )
    ]
    count = len(tokens) + 1
    return DecodedTokens(tuple(tokens), (logprob,) * count, logprob * count, no_speech_prob)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * 16_000), dtype=np.float32)


def request_of(samples: Samples, options: Options, reported: list[Segment] | None = None) -> TranscriptionRequest:
    on_segments = None if reported is None else reported.extend
    return TranscriptionRequest(samples, options, Future(), on_segments, submitted_at=0.0)


def opened(
    request: TranscriptionRequest, *results: QueryResult, model: ModelTokenizer = MODEL
) -> tuple[list[QueryGenerator], list[Query]]:
    """The generators of the request's chunks, and the queries for which `results` opened it."""
    queries = run(request, request.open(model, spectrogram), iter(results))
    return request.take_opened(), queries


def run(request: TranscriptionRequest, queries: QueryGenerator, results: Iterator[QueryResult]) -> list[Query]:
    """The queries of the generator, pauses left out, each of which the next of `results` answers."""
    sequence, asked = WindowSequence(request, queries, ticket=0), list[Query]()
    result: QueryResult = None
    while sequence.advance(result):
        result = None
        if not isinstance(sequence.pending, Pause):
            asked.append(sequence.pending)
            result = next(results)
    return asked


def transcribe(
    seconds: float, options: Options, *results: QueryResult, reported: list[Segment] | None = None
) -> tuple[Transcription, list[Query]]:
    """The transcription of a silent file that these results make, and the queries that they answered."""
    request, rest = request_of(silence(seconds), options, reported), iter(results)
    queries = run(request, request.open(MODEL, spectrogram), rest)
    for chunk in request.take_opened():
        queries += run(request, chunk, rest)
    assert request.is_done
    return request.transcription(), queries
