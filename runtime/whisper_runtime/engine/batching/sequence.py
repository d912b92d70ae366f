"""A sequence of windows: a generator, the query that it waits for, and the slot in which that is answered."""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from inspect import GEN_CLOSED, getgeneratorstate

from whisper_runtime.engine.batching.batch import BatchSlot
from whisper_runtime.engine.batching.beam_search import SearchSlot
from whisper_runtime.engine.batching.request import TranscriptionRequest
from whisper_runtime.engine.policy.queries import Alignment, Pause, Query, QueryGenerator, QueryResult, Window

Slot = BatchSlot | SearchSlot
"""A slot of the batch, or one beside it: both hold one window, decode it by given parameters and come to a result."""


@dataclass(eq=False)
class WindowSequence:
    """The windows of one chunk of a request, or the reading of its file, in the order of the generator."""

    request: TranscriptionRequest
    queries: QueryGenerator
    ticket: int
    """The lowest has waited longest."""
    pending: Query = field(default_factory=Pause)
    """The query that the generator waits for; before it starts, a pause."""
    slot: Slot | None = None
    alignment: Future[Alignment] | None = None
    """The result of the pending query, where that is computed beside the decode steps; it needs no slot."""
    asked_at: float = 0.0
    """By time.perf_counter: when the pending query was last put to the model."""
    seated_at: float = 0.0
    """When it got its slot, by time.perf_counter."""
    waits_since: float = field(default_factory=time.perf_counter)
    """When it last began to wait for a slot, by time.perf_counter."""
    needs_empty_device: bool = False
    """Whether it ran out of memory beside others; it then gets a slot only while no other sequence has one."""

    def advance(self, result: QueryResult) -> bool:
        """Send the result of the pending query; return whether the generator goes on, with another query pending.

        Raises whatever the generator raises.
        """
        try:
            self.pending = self.queries.send(result)
        except StopIteration:
            return False
        return True

    @property
    def window(self) -> Window | None:
        """The window of the pending query; None: no window is needed, or not any more."""
        return None if isinstance(self.pending, Pause) or self.alignment else self.pending.window

    @property
    def is_aligning(self) -> bool:
        """Whether there is nothing to do before its alignment is there."""
        return self.alignment is not None and not self.alignment.done()

    @property
    def is_searched(self) -> bool:
        """Whether several candidates of a window are followed, at one temperature or another."""
        return bool(self.request.options.beam_size or self.request.options.best_of)

    @property
    def is_closed(self) -> bool:
        """Whether the generator has ended or raised."""
        return getgeneratorstate(self.queries) == GEN_CLOSED
