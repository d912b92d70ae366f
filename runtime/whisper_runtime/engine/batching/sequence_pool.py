"""The live requests and their sequences: how they are added, advanced by results, finished, and failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count

from whisper_runtime.engine.batching.admission import NEVER
from whisper_runtime.engine.batching.request import TranscriptionRequest
from whisper_runtime.engine.batching.runner import ModelRunner
from whisper_runtime.engine.batching.sequence import Slot, WindowSequence
from whisper_runtime.engine.batching.throughput import ThroughputMeter
from whisper_runtime.engine.interface import Observer
from whisper_runtime.engine.policy.quality import is_silence
from whisper_runtime.engine.policy.queries import DecodedTokens, Pause, QueryResult


class SequencePool:
    def __init__(self, runner: ModelRunner, observer: Observer, throughput: ThroughputMeter) -> None:
        self._runner, self._observer, self._throughput = runner, observer, throughput
        self._tickets = count()
        self.requests: list[TranscriptionRequest] = []
        """In the order in which they came."""
        self.sequences: list[WindowSequence] = []
        """At least one for each of `requests`."""
        self.when_aligned: Callable[[], object] = lambda: None
        """Called whenever an alignment is done, from another thread."""
        self._seatings = count()
        self.turns: dict[str, int] = {}
        """The number of the last slot that each client got; of clients that have requests here, and perhaps others."""

    def add(self, request: TranscriptionRequest) -> None:
        here = {one.client for one in self.requests}
        self.turns = {client: turn for client, turn in self.turns.items() if client in here}
        self.requests.append(request)
        opening = request.open(self._runner.tokenizer, self._runner.spectrogram)
        self.sequences.append(WindowSequence(request, opening, next(self._tickets)))

    def drop_cancelled(self) -> None:
        for request in [one for one in self.requests if one.future.cancelled()]:
            self._observer.cancelled()
            self._remove(request)

    def next_to_read(self, most: int) -> list[WindowSequence]:
        """The sequences, at most so many, that compute next without a slot: a file's next piece is read."""
        paused = [sequence for sequence in self.sequences if isinstance(sequence.pending, Pause)]
        return sorted(paused, key=lambda one: (self.turns.get(one.request.client, NEVER), one.ticket))[:most]

    def read(self, sequence: WindowSequence) -> None:
        """Let a paused sequence compute until its next pause, behind which it waits for those that came meanwhile."""
        self.advance(sequence, None)
        if isinstance(sequence.pending, Pause):
            sequence.ticket = next(self._tickets)

    def occupy(self, sequence: WindowSequence, slot: Slot, encoding_since: float) -> None:
        """Give the sequence a slot, that of its window, which has been encoded since then by time.perf_counter."""
        request = sequence.request
        if not request.has_begun:
            request.begin(encoding_since)
            self._observer.stage("queue", time.perf_counter() - request.submitted_at)
        request.ended("encode", encoding_since)
        sequence.slot = slot
        sequence.seated_at = time.perf_counter()
        request.num_slots += 1
        self.turns[request.client] = next(self._seatings)

    def serve(self, sequence: WindowSequence) -> None:
        """Answer the queries that can be answered from the sequence's slot; free it once another window is needed."""
        while (slot := sequence.slot) is not None and sequence.window is slot.window:
            sequence.asked_at = time.perf_counter()
            result = self._runner.answer(slot, sequence.pending)
            if result is None:
                return
            if isinstance(result, Future):
                sequence.alignment = result  # of a later iteration, so that the slot is another's until then
                result.add_done_callback(lambda _: self.when_aligned())
            else:
                self.advance(sequence, result)
        self._release(sequence)

    def take_alignment(self, sequence: WindowSequence) -> None:
        """Send the alignment that is done; raises what it failed with."""
        alignment, sequence.alignment = sequence.alignment, None
        if alignment is not None:
            result = alignment.result()
            self._observer.stage("words", time.perf_counter() - sequence.asked_at)
            sequence.request.ended("words", sequence.asked_at)
            self.advance(sequence, result)

    def advance(self, sequence: WindowSequence, result: QueryResult) -> None:
        """Send the result of the pending query, None for a pause; finish the sequence where it was the last one."""
        if isinstance(result, DecodedTokens) and is_silence(result):
            self._observer.no_speech()
        if not sequence.advance(result):
            self._finish(sequence)

    def vacate(self, sequence: WindowSequence) -> None:
        """Free the sequence's slot, if it has one, without counting its window as decoded."""
        slot, sequence.slot = sequence.slot, None
        if slot is not None:
            self._runner.free(slot)
            sequence.request.num_slots -= 1
            sequence.request.ended("decode_steps", sequence.seated_at)

    def fail(self, request: TranscriptionRequest, error: Exception) -> None:
        """End one request with `error`."""
        self._remove(request)
        request.fail(error)

    def fail_all(self, error: Exception) -> None:
        """End every request with `error`, without a call to the device, which may be lost."""
        self.sequences.clear()
        while self.requests:
            self.requests.pop().fail(error)

    def _finish(self, sequence: WindowSequence) -> None:
        """Replace a sequence that has read its file by those of the file's chunks, the first of which takes over its
        slot; complete the request where no sequence is left."""
        request = sequence.request
        self.sequences.remove(sequence)
        opened = [WindowSequence(request, queries, next(self._tickets)) for queries in request.take_opened()]
        self.sequences += opened
        if opened:
            opened[0].slot, sequence.slot = sequence.slot, None
            opened[0].seated_at = sequence.seated_at
        for one in opened:
            self.advance(one, None)
            self.serve(one)
        self._release(sequence)
        if request in self.requests and not any(one.request is request for one in self.sequences):
            self.requests.remove(request)
            request.complete()

    def _release(self, sequence: WindowSequence) -> None:
        """Free the sequence's slot, if it has one; the sequence waits again, behind the others."""
        if (slot := sequence.slot) is None:
            return
        self.vacate(sequence)
        sequence.ticket, sequence.needs_empty_device = next(self._tickets), False
        sequence.waits_since = time.perf_counter()
        decoded = min(sequence.request.seconds_left, slot.window.seconds)
        sequence.request.seconds_left -= decoded
        self._throughput.add_window(decoded, time.perf_counter() - sequence.seated_at)

    def _remove(self, request: TranscriptionRequest) -> None:
        for sequence in [one for one in self.sequences if one.request is request]:
            self.vacate(sequence)  # its window is not decoded
            self.sequences.remove(sequence)
        self.requests.remove(request)
