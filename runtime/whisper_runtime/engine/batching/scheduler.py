"""Continuous batching: windows of all requests get slots, are encoded, decoded together, and free their slots.

Requests come, leave and are cancelled between two iterations.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import suppress

import torch

from whisper_runtime.engine.batching.admission import admitted
from whisper_runtime.engine.batching.batch import Batch, BatchSlot
from whisper_runtime.engine.batching.beam_search import SearchSlot
from whisper_runtime.engine.batching.request import TranscriptionRequest
from whisper_runtime.engine.batching.runner import ModelRunner, tokenizer_of
from whisper_runtime.engine.batching.sampling import MAX_NEW_TOKENS, Sampler
from whisper_runtime.engine.batching.sequence import WindowSequence
from whisper_runtime.engine.batching.sequence_pool import SequencePool
from whisper_runtime.engine.batching.throughput import ThroughputMeter
from whisper_runtime.engine.interface import Abilities, Observer, OutOfMemory
from whisper_runtime.engine.model.cuda_graphs import MakeDecodeStep, decode_step
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.model.memory import batch_capacity, free_memory
from whisper_runtime.engine.model.precision import activation_dtype

log = logging.getLogger(__name__)


class Scheduler:
    """Call it from one thread alone; `requests`, `free_rows` and `throughput` may be read from others."""

    def __init__(self, runner: ModelRunner, observer: Observer, throughput: ThroughputMeter) -> None:
        self._runner, self._observer = runner, observer
        self._pool = SequencePool(runner, observer, throughput)
        self.throughput = throughput
        self._steps = 0
        """Decode steps since the last encoding."""

    @property
    def requests(self) -> Sequence[TranscriptionRequest]:
        """Requests that are added and not done."""
        return self._pool.requests

    @property
    def free_rows(self) -> int:
        """Rows of the batch that are free, and that no further window of a request in work waits for, but of those in
        the background."""
        requests = ((one, one.request) for one in tuple(self._pool.sequences))
        begun = [one for one, request in requests if request.has_begun and not request.is_background()]
        waiting = [sequence for sequence in begun if sequence.slot is None and sequence.window is not None]
        return max(0, self._runner.batch.num_free - len(waiting))

    @property
    def abilities(self) -> Abilities:
        return self._runner.abilities

    @property
    def has_work(self) -> bool:
        """Whether an iteration would do anything; False: all requests, if there are any, wait for alignments."""
        return any(not sequence.is_aligning for sequence in self._pool.sequences)

    def when_aligned(self, wake: Callable[[], object]) -> None:
        """Call `wake` whenever an alignment is done, and `has_work` with it; from another thread."""
        self._pool.when_aligned = wake

    def add(self, request: TranscriptionRequest) -> None:
        """Queue a request; its future is resolved by a later iteration."""
        self._pool.add(request)

    def iterate(self) -> None:
        """One scheduling iteration: drop cancelled requests, read new files, then encode admitted windows or decode one
        token per row; on a GPU both.

        An error of one request fails that request alone. Raises where the device is lost. Where there is no work, it
        waits for an alignment.
        """
        if not self.has_work:
            wait([one.alignment for one in self._pool.sequences if one.alignment], return_when=FIRST_COMPLETED)
        started = time.perf_counter()
        with torch.inference_mode():
            self._pool.drop_cancelled()
            self._take_alignments()
            self._read_files()
            if not self._admit() or not self._runner.steps_per_encoding:
                self._decode()
        self.throughput.add_busy(time.perf_counter() - started)

    def fail_all(self, error: Exception) -> None:
        """End every request with `error`, without a call to the device, which may be lost."""
        self._pool.fail_all(error)

    def _take_alignments(self) -> None:
        for sequence in [one for one in self._pool.sequences if one.alignment and not one.is_aligning]:
            self._run(sequence, self._pool.take_alignment)

    def _read_files(self) -> None:
        """Read a piece of each of some files, those that have waited longest; no more than are encoded at once."""
        for sequence in self._pool.next_to_read(self._runner.windows_per_encoding):
            self._run(sequence, self._pool.read)

    def _admit(self) -> bool:
        """Encode windows that wait, unless it is the rows' turn; return whether any were encoded."""
        if self._is_turn_of_rows:
            return False
        limit = self._runner.windows_per_encoding
        chosen = admitted(
            self._pool.sequences, self._runner.batch.num_free, limit, self._pool.turns, time.perf_counter()
        )
        if not chosen:
            return False
        self._encode(chosen)
        self._steps = 0
        return True

    @property
    def _is_turn_of_rows(self) -> bool:
        """Whether windows that wait are encoded later: once all rows are done, or have had as many steps as the
        encodings take time."""
        sequences = self._pool.sequences
        waiting = sum(sequence.slot is None and sequence.window is not None for sequence in sequences)
        is_decoding = any(sequence.slot for sequence in sequences)
        return is_decoding and 0 < self._steps < self._runner.steps_per_encoding * waiting

    def _encode(self, chosen: Sequence[WindowSequence]) -> None:
        """Encode the windows of these sequences, which have no slot yet, and give them one."""
        windows = [sequence.window for sequence in chosen if sequence.window]
        slots, began = None, time.perf_counter()
        with suppress(torch.OutOfMemoryError):  # while it is held, so is the memory
            features = self._runner.encode(torch.stack([window.mel for window in windows]))
            slots = self._runner.allocate(windows, features, [sequence.is_searched for sequence in chosen])
        if slots is None:
            return self._in_halves(chosen, self._encode)
        # All of them first: a request that fails frees the slots of its other sequences.
        for sequence, slot in zip(chosen, slots, strict=True):
            self._pool.occupy(sequence, slot, began)
        for sequence in chosen:
            self._run(sequence, self._pool.serve)

    def _decode(self) -> None:
        """One decode step of every slot; finished windows are handed to their sequences."""
        self._steps += 1
        batch = self._runner.batch
        if batch.slots:
            self._observer.batch(len(batch.slots), batch.capacity)
            self._decode_batch([one for one in self._pool.sequences if isinstance(one.slot, BatchSlot)])
        for sequence in [one for one in self._pool.sequences if isinstance(one.slot, SearchSlot)]:
            self._run(sequence, self._decode_search)
        for sequence in [one for one in self._pool.sequences if one.slot and one.slot.result]:
            self._run(sequence, self._pool.serve)

    def _decode_batch(self, sequences: Sequence[WindowSequence]) -> None:
        """One decode step of these sequences, whose slots stand next to each other."""
        ordered = sorted(sequences, key=lambda one: one.slot.row if one.slot else 0)
        first = ordered[0].slot
        assert first is not None
        with suppress(torch.OutOfMemoryError):
            return self._runner.decode_batch(first.row, len(ordered))
        self._in_halves(ordered, self._decode_batch)

    def _decode_search(self, sequence: WindowSequence) -> None:
        if isinstance(sequence.slot, SearchSlot):
            self._runner.decode_search(sequence.slot)

    def _in_halves(self, sequences: Sequence[WindowSequence], work: Callable[[Sequence[WindowSequence]], None]) -> None:
        """Do `work`, for which memory was short, for one half of the sequences and then for the other."""
        if len(sequences) == 1:
            return self._evict(sequences[0])
        self._observer.split()
        self._runner.release_memory()
        middle = len(sequences) // 2
        for half in (sequences[middle:], sequences[:middle]):
            if live := [sequence for sequence in half if sequence in self._pool.sequences]:
                work(live)

    def _evict(self, sequence: WindowSequence) -> None:
        """Take a sequence that does not fit off the device, until no other one is there; alone, its request fails."""
        has_company = any(one.slot for one in self._pool.sequences if one is not sequence)
        self._pool.vacate(sequence)
        self._runner.release_memory()
        if has_company and not sequence.is_closed:
            sequence.needs_empty_device = True
        else:
            self._pool.fail(sequence.request, OutOfMemory())

    def _run(self, sequence: WindowSequence, work: Callable[[WindowSequence], object]) -> None:
        """Do `work` for a sequence that is still live; an error ends its request, and no other.

        Raises where the device is lost.
        """
        if sequence not in self._pool.sequences:
            return
        try:
            with suppress(torch.OutOfMemoryError):
                work(sequence)
                return
            self._evict(sequence)
        except Exception as error:
            sequence.request.context.run(log.exception, "a request failed")
            self._runner.raise_if_device_lost()
            self._pool.fail(sequence.request, error)


def build_scheduler(model: WhisperModel, observer: Observer, max_batch_size: int | None = None) -> Scheduler:
    """A scheduler with as many slots as memory has room for, at most `max_batch_size` where that is given."""
    return Scheduler(build_runner(model, observer, max_batch_size), observer, ThroughputMeter())


def build_runner(
    model: WhisperModel,
    observer: Observer,
    max_batch_size: int | None = None,
    *,
    make_step: MakeDecodeStep = decode_step,
    max_new_tokens: int = MAX_NEW_TOKENS,
) -> ModelRunner:
    dims, device = model.dims, model.device
    tokenizer = tokenizer_of(model)
    sampler = Sampler(tokenizer, device, max_new_tokens)
    dtype = activation_dtype(device, model.precision)
    capacity = batch_capacity(dims, device, dtype, free_memory(device), max_batch_size)
    with torch.inference_mode():
        cache = model.decoder.new_cache(capacity, dims.n_audio_ctx)
        step = make_step(model.decoder, cache, sampler.choose, sampler.num_rules)
        batch = Batch(model.decoder, tokenizer, sampler, cache, step)
    return ModelRunner(model, tokenizer, sampler, batch, observer)
