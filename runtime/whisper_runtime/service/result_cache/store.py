"""Where results are kept: three verbs, and the memory of one process behind them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

ENTRY_BYTES: Final = 512
"""Of memory for an entry beside its content: its key, and its places in the store's own dictionaries."""


@dataclass(frozen=True)
class StoredContent:
    content: bytes
    age: float
    """Seconds since it was stored."""
    seconds_left: float
    """For which it is still kept, at most."""


class ResultStore(Protocol):
    """A cache by key: it may forget anything at any time, and is never the only place where something is.

    A backend that several processes share answers each of them alike; keys hold nothing secret.
    """

    async def get(self, key: str) -> StoredContent | None:
        """What was last put under the key; None: nothing, or not any more."""
        ...

    async def put(self, key: str, content: bytes) -> None:
        """Keeps `content` under the key, in the place of what was there, for as long as the store keeps anything."""
        ...

    async def delete(self, key: str) -> None:
        """Keeps nothing under the key."""
        ...


class MemoryStore:
    """A ResultStore in the memory of this process. Use it in the event loop's thread."""

    def __init__(self, max_bytes: int, keep_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """What was not asked for the longest makes room where more than `max_bytes` would be kept."""
        self._max_bytes, self._keep_seconds, self._clock = max_bytes, keep_seconds, clock
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        """What was asked for last is last."""
        self._stored: dict[str, float] = {}
        """When each was stored, oldest first."""
        self.used_bytes = 0

    async def get(self, key: str) -> StoredContent | None:
        self._expire()
        if (content := self._contents.get(key)) is None:
            return None
        self._contents.move_to_end(key)
        age = self._clock() - self._stored[key]
        return StoredContent(content, age, self._keep_seconds - age)

    async def put(self, key: str, content: bytes) -> None:
        """Keeps nothing that is larger than the store."""
        self._expire()
        self._drop(key)
        size = _size(content)
        if size > self._max_bytes:
            return
        while self.used_bytes + size > self._max_bytes:
            self._drop(next(iter(self._contents)))
        self._contents[key], self._stored[key] = content, self._clock()
        self.used_bytes += size

    async def delete(self, key: str) -> None:
        self._drop(key)

    def _expire(self) -> None:
        oldest = self._clock() - self._keep_seconds
        while self._stored and (first := next(iter(self._stored.items())))[1] <= oldest:
            self._drop(first[0])

    def _drop(self, key: str) -> None:
        if (content := self._contents.pop(key, None)) is not None:
            del self._stored[key]
            self.used_bytes -= _size(content)


def _size(content: bytes) -> int:
    return len(content) + ENTRY_BYTES
