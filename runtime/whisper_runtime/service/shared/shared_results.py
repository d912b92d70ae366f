"""Results that the pods of a service share; while the store is away, each pod keeps and finds its own (ADR 56)."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Final

from whisper_runtime.service.result_cache.store import ResultStore, StoredContent
from whisper_runtime.service.shared.result_program import (
    finding,
    forgetting,
    keeping,
    packed,
    stored_content,
)
from whisper_runtime.service.shared.shared_store import SharedStore

MOST_TO_FORGET: Final = 4096
"""Results that are to be forgotten once the store is back; beyond it the first ones end by their time alone."""
SMALL_BYTES: Final = 4096
"""Packed; of an answer by a kept result, a thread for as much would take a tenth of the time."""
AT_ONCE: Final = 64
"""So many of them are forgotten beside one request."""


class SharedResults:
    """A ResultStore. Use it in the event loop's thread."""

    def __init__(self, own: ResultStore, store: SharedStore, prefix: str, max_bytes: int, keep_seconds: int) -> None:
        """`own`: for what the store does not take; `max_bytes`: of all results of the service in the store."""
        self._own, self._store, self._prefix = own, store, prefix
        self._max_bytes, self._keep_seconds = max_bytes, keep_seconds
        self._to_forget: dict[str, None] = {}
        """Keys whose results the store may still have, and must not: oldest first."""

    async def get(self, key: str) -> StoredContent | None:
        await self._forget()
        if key not in self._to_forget and (reply := await self._store.call(finding(self._prefix, key))):
            is_small = isinstance(reply[0], bytes) and len(reply[0]) <= SMALL_BYTES
            found = stored_content(reply) if is_small else await asyncio.to_thread(stored_content, reply)
            if found is not None:
                return found
        return await self._own.get(key)

    async def put(self, key: str, content: bytes) -> None:
        """What the store takes is not kept here, where nobody could have all pods forget it."""
        await self._forget()
        small = await asyncio.to_thread(packed, content)
        if small is not None:
            call = keeping(self._prefix, key, small, self._keep_seconds, self._max_bytes)
            if await self._store.call(call) is not None:
                self._to_forget.pop(key, None)
                return await self._own.delete(key)
        await self._note(key)
        await self._own.put(key, content)

    async def delete(self, key: str) -> None:
        await self._own.delete(key)
        await self._note(key)

    async def _note(self, key: str) -> None:
        """Has the store forget what it has under the key, at the latest once it is back."""
        self._to_forget[key] = None
        while len(self._to_forget) > MOST_TO_FORGET:
            del self._to_forget[next(iter(self._to_forget))]
        await self._forget()

    async def _forget(self) -> None:
        if not self._to_forget:
            return
        keys = list(islice(self._to_forget, AT_ONCE))
        replies = await asyncio.gather(*(self._store.call(forgetting(self._prefix, key)) for key in keys))
        for key, reply in zip(keys, replies, strict=True):
            if reply is not None:
                self._to_forget.pop(key, None)
