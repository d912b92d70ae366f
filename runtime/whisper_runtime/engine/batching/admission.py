"""Which sequences get a slot next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from whisper_runtime.engine.batching.beam_search import SearchSlot
from whisper_runtime.engine.batching.sequence import WindowSequence

MAX_SEARCH_SLOTS: Final = 2
"""Windows that are searched beside the batch: a decode step of one costs nearly what a step of the batch does."""


def admitted(sequences: Sequence[WindowSequence], num_free: int, limit: int) -> list[WindowSequence]:
    """The sequences that get a slot now, at most `limit`, by their priority; `num_free` slots of the batch are free.

    One that needs the device for itself waits until all slots are free, and is then admitted alone.
    """
    occupied = [sequence.slot for sequence in sequences if sequence.slot is not None]
    if exclusive := [sequence for sequence in sequences if sequence.needs_empty_device]:
        return [] if occupied else exclusive[:1]
    free = {True: MAX_SEARCH_SLOTS - sum(isinstance(slot, SearchSlot) for slot in occupied), False: num_free}
    waiting = [sequence for sequence in sequences if sequence.slot is None and sequence.window is not None]
    chosen: list[WindowSequence] = []
    for sequence in sorted(waiting, key=lambda sequence: sequence.priority):
        if free[sequence.is_searched] > 0 and len(chosen) < limit:
            free[sequence.is_searched] -= 1
            chosen.append(sequence)
    return chosen
