"""Runs the model for the scheduler: encodes windows, fills slots, decodes steps, and answers queries from a slot."""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import torch

from whisper_runtime.engine.batching.alignment import align, attend
from whisper_runtime.engine.batching.batch import Batch, BatchSlot
from whisper_runtime.engine.batching.beam_search import SearchSlot
from whisper_runtime.engine.batching.sampling import Sampler
from whisper_runtime.engine.batching.sequence import Slot
from whisper_runtime.engine.interface import Abilities, Observer, Samples
from whisper_runtime.engine.model import device
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.model.memory import MAX_WINDOWS_PER_ENCODING, STEPS_PER_ENCODING
from whisper_runtime.engine.policy import mel
from whisper_runtime.engine.policy.queries import (
    Alignment,
    AlignTokens,
    DecodeWindow,
    DecodingParams,
    DetectLanguage,
    Pause,
    Query,
    QueryResult,
    Window,
)
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer


def tokenizer_of(model: WhisperModel) -> ModelTokenizer:
    """The tokens of a loaded model, and the rules that its files set for them."""
    dims = model.dims
    return ModelTokenizer(model.is_multilingual, model.num_languages, dims.n_vocab, dims.n_text_ctx, model.rules)


class ModelRunner:
    """Call it from one thread alone: openai-whisper's model is not thread-safe. Whatever computes may raise
    torch.OutOfMemoryError."""

    def __init__(
        self, model: WhisperModel, tokenizer: ModelTokenizer, sampler: Sampler, batch: Batch, observer: Observer
    ) -> None:
        self._model, self._sampler, self._observer = model, sampler, observer
        self.tokenizer, self.batch = tokenizer, batch
        self._encodings = device.DeviceTimer(model.device, observer.stage)
        self.windows_per_encoding = MAX_WINDOWS_PER_ENCODING[model.device.type]
        self.steps_per_encoding = STEPS_PER_ENCODING[model.device.type]
        self._aligner = ThreadPoolExecutor(1, "words", torch.set_num_threads, (1,))
        """torch's number of threads is that of the calling thread."""

    @property
    def abilities(self) -> Abilities:
        return self._model.abilities

    def spectrogram(self, samples: Samples) -> Generator[Pause, None, torch.Tensor]:
        """(n_mels, frames + 3000), float32, on the model's device (see mel.spectrogram)."""
        return mel.spectrogram(samples, self._model.dims.n_mels, self._model.device)

    def encode(self, mels: torch.Tensor) -> torch.Tensor:
        """(batch, n_mels, 3000) to (batch, n_audio_ctx, n_audio_state)."""
        with self._encodings.timed("encode"):
            return self._model.encoder(mels)

    def allocate(self, windows: Sequence[Window], features: torch.Tensor, searched: Sequence[bool]) -> list[Slot]:
        """A slot for each window, which `features`, (window, n_audio_ctx, n_audio_state), is the encoding of: one
        beside the batch where it is to be `searched`, else one of the batch, which must have so many free ones."""
        shared = [number for number, is_searched in enumerate(searched) if not is_searched]
        of_shared = features if len(shared) == len(windows) else features[shared]
        in_batch = iter(self.batch.allocate([windows[number] for number in shared], of_shared))
        return [
            SearchSlot(self._model, self.tokenizer, self._sampler, window, features[number : number + 1])
            if searched[number]
            else next(in_batch)
            for number, window in enumerate(windows)
        ]

    def free(self, slot: Slot) -> None:
        if isinstance(slot, BatchSlot):
            self.batch.free(slot)

    def answer(self, slot: Slot, query: Query) -> QueryResult | Future[Alignment]:
        """The result of a query about the slot's window, from its one encoding; None: it takes more decode steps.

        An alignment is computed beside the next steps, and needs the slot no more.
        """
        match query:
            case DetectLanguage() | DecodeWindow():
                if slot.asked is not query:
                    slot.asked = query
                    self._begin(slot, query)
                return slot.result
            case AlignTokens():
                return self.align(slot, query)
            case Pause():
                return None

    def _begin(self, slot: Slot, query: DetectLanguage | DecodeWindow) -> None:
        if isinstance(query, DecodeWindow):
            if slot.params is not None:
                self._observer.fallback()
            self.prefill(slot, query.params)
        else:
            with self._timed("detect"):
                self.detect_language(slot, query.among)

    def prefill(self, slot: Slot, params: DecodingParams) -> None:
        """Start to decode the slot's window: its prompt, and the first token."""
        if isinstance(slot, SearchSlot):
            slot.prefill(params)
        else:
            self.batch.prefill(slot, params)

    def decode_batch(self, first_row: int, count: int) -> None:
        """One decode step of `count` slots of the batch from `first_row` on."""
        with self._timed("decode_step"):
            is_replayed = self.batch.decode(first_row, count)
        self._observer.launched(replayed=is_replayed)
        self._encodings.report_ended()  # the step ended by waiting for the device

    def decode_search(self, slot: SearchSlot) -> None:
        """One decode step of a slot beside the batch."""
        with self._timed("decode_step"):
            slot.decode()

    def detect_language(self, slot: Slot, among: Collection[str]) -> None:
        """Start to detect the language of the slot's window, one of those `among` which it may be."""
        if isinstance(slot, SearchSlot):
            slot.detect_language(among)
        else:
            self.batch.detect_language(slot, among)

    def align(self, slot: Slot, query: AlignTokens) -> Future[Alignment]:
        attention = attend(self._model, slot.cache, slot.row, query, self._sampler.eot)
        return self._aligner.submit(align, attention)

    def raise_if_device_lost(self) -> None:
        """Raise what CUDA raises where the device answers nothing any more."""
        device.raise_if_lost(self._model.device)

    def release_memory(self) -> None:
        """Return memory that is cached and not in use, after a torch.OutOfMemoryError."""
        device.release_memory(self._model.device)

    @contextmanager
    def _timed(self, stage: str) -> Generator[None, None, None]:
        """Report the block's duration, unless it raises."""
        started = time.perf_counter()
        yield
        self._observer.stage(stage, time.perf_counter() - started)
