"""A ModelRunner whose memory a test makes scarce, whose device it breaks, or whose language it decides."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Final

import torch

from whisper_runtime.engine.batching.batch import Batch
from whisper_runtime.engine.batching.beam_search import SearchSlot
from whisper_runtime.engine.batching.runner import ModelRunner, tokenizer_of
from whisper_runtime.engine.batching.sampling import Sampler
from whisper_runtime.engine.batching.sequence import Slot
from whisper_runtime.engine.interface import Observer, Samples
from whisper_runtime.engine.model.cuda_graphs import MakeDecodeStep, decode_step
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.policy.queries import (
    Alignment,
    AlignTokens,
    DecodedTokens,
    DecodingParams,
    DetectedLanguage,
    Pause,
    Query,
    QueryResult,
    Window,
)

MAX_NEW_TOKENS: Final = 12
"""Random weights never sample <|endoftext|>: a window ends after so many tokens."""


class FaultyRunner(ModelRunner):
    """The real runner but for its faults."""

    fault: Callable[[str, Sequence[Any]], None] | None = None
    """Called before each operation, with its name and the windows or slots that it is for; raises what that raises."""
    device_error: Exception | None = None
    """What the device answers when it is asked whether it is lost; None: it is not."""
    is_poor: bool = False
    """Whether every decoded window is too improbable to be kept."""
    language: DetectedLanguage | None = None
    """The result of every language detection; None: the model's."""
    withheld: list[Callable[[], None]] | None = None
    """What hands over each alignment, which a test calls; None: they are handed over once they are computed."""

    def _before(self, operation: str, of: Sequence[Any] = ()) -> None:
        if self.fault:
            self.fault(operation, of)

    def spectrogram(self, samples: Samples) -> Generator[Pause, None, torch.Tensor]:
        self._before("spectrogram")
        return super().spectrogram(samples)

    def encode(self, mels: torch.Tensor) -> torch.Tensor:
        self._before("encode", mels)
        return super().encode(mels)

    def allocate(self, windows: Sequence[Window], features: torch.Tensor, searched: Sequence[bool]) -> list[Slot]:
        self._before("allocate", windows)
        return super().allocate(windows, features, searched)

    def free(self, slot: Slot) -> None:
        self._before("free", [slot])
        super().free(slot)

    def prefill(self, slot: Slot, params: DecodingParams) -> None:
        self._before("prefill", [slot])
        super().prefill(slot, params)

    def decode_batch(self, first_row: int, count: int) -> None:
        self._before("decode_batch", self.batch.slots[first_row : first_row + count])
        super().decode_batch(first_row, count)

    def decode_search(self, slot: SearchSlot) -> None:
        self._before("decode_search", [slot])
        super().decode_search(slot)

    def answer(self, slot: Slot, query: Query) -> QueryResult | Future[Alignment]:
        result = super().answer(slot, query)
        if self.language and isinstance(result, DetectedLanguage):
            return self.language
        if self.is_poor and isinstance(result, DecodedTokens):
            return replace(result, sum_logprob=-2.0 * (len(result.tokens) + 1))
        return result

    def align(self, slot: Slot, query: AlignTokens) -> Future[Alignment]:
        computed = super().align(slot, query)
        if self.withheld is None:
            return computed
        handed_over: Future[Alignment] = Future()
        self.withheld.append(lambda: handed_over.set_result(computed.result()))
        return handed_over

    def raise_if_device_lost(self) -> None:
        if self.device_error:
            raise self.device_error


def faulty_runner(
    model: WhisperModel, observer: Observer, capacity: int, make_step: MakeDecodeStep = decode_step
) -> FaultyRunner:
    """A runner of `capacity` slots without a fault; a test sets one."""
    dims = model.dims
    tokenizer = tokenizer_of(model)
    sampler = Sampler(tokenizer, model.device, MAX_NEW_TOKENS)
    with torch.inference_mode():
        cache = model.decoder.new_cache(capacity, dims.n_audio_ctx)
        step = make_step(model.decoder, cache, sampler.choose, sampler.num_rules)
        batch = Batch(model.decoder, tokenizer, sampler, cache, step)
    return FaultyRunner(model, tokenizer, sampler, batch, observer)
