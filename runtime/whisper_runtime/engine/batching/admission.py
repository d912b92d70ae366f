"""Which sequences get a slot next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from whisper_runtime.engine.batching.beam_search import SearchSlot
from whisper_runtime.engine.batching.request import TranscriptionRequest
from whisper_runtime.engine.batching.sequence import WindowSequence

MAX_SEARCH_SLOTS: Final = 2
"""Windows that are searched beside the batch: a decode step of one costs nearly what a step of the batch does."""
PATIENCE_SECONDS: Final = 60.0
"""A window in the background that has waited for longer is as any other, so that none waits for ever."""
NEVER: Final = -1
"""The turn of a client that has had none."""


def admitted(
    sequences: Sequence[WindowSequence], num_free: int, limit: int, turns: Mapping[str, int], now: float
) -> list[WindowSequence]:
    """The sequences that get a slot now, at most `limit`; `num_free` slots of the batch are free.

    Clients take turns: `turns` has the number of the last slot that each one got. Whose client holds the fewest slots
    is first, then whose client's turn is longest ago, then whose request holds the fewest, so that neither a hundred
    files of one client nor the chunks of one file starve others; then who has waited longest. Requests in the
    background come after all others, until they have waited for PATIENCE_SECONDS; `now` is by time.perf_counter.

    One that needs the device for itself waits until all slots are free, and is then admitted alone.
    """
    occupied = [sequence for sequence in sequences if sequence.slot is not None]
    if exclusive := [sequence for sequence in sequences if sequence.needs_empty_device]:
        return [] if occupied else exclusive[:1]
    searches = sum(isinstance(sequence.slot, SearchSlot) for sequence in occupied)
    free = {True: MAX_SEARCH_SLOTS - searches, False: num_free}
    by_client = Counter(sequence.request.client for sequence in occupied)
    by_request = Counter[TranscriptionRequest](sequence.request for sequence in occupied)

    def priority(sequence: WindowSequence) -> tuple[bool, int, int, int, int]:
        request = sequence.request
        yields = request.is_background() and now - sequence.waits_since < PATIENCE_SECONDS
        return yields, by_client[request.client], turns.get(request.client, NEVER), by_request[request], sequence.ticket

    waiting = [sequence for sequence in sequences if sequence.slot is None and sequence.window is not None]
    chosen: list[WindowSequence] = []
    while len(chosen) < limit and (seatable := [one for one in waiting if free[one.is_searched] > 0]):
        first = min(seatable, key=priority)
        waiting.remove(first)
        chosen.append(first)
        free[first.is_searched] -= 1
        by_client[first.request.client] += 1
        by_request[first.request] += 1
    return chosen
