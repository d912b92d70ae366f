"""The rates of clients, counted once for all pods of a service; while the store is away, for this pod alone."""

from __future__ import annotations

import asyncio
from typing import Final

from whisper_runtime.service.rate_limits import RateLimits
from whisper_runtime.service.shared.bucket_program import TokensLeft, key_of, taking, tokens_left
from whisper_runtime.service.shared.shared_store import SharedStore

MOST_ON_THEIR_WAY: Final = 1024
"""Charges and returns that wait for the store; more are counted by this pod alone."""


class SharedRates:
    """ClientRates by a store that all pods of a service share, in the event loop's thread.

    The pod's own buckets follow what the store answers: headers come from them, and they go on where it is away.
    """

    def __init__(self, own: RateLimits, store: SharedStore, prefix: str) -> None:
        """`prefix`: namespace and name of the service, which its keys begin with."""
        self._own = own
        self._store = store
        self._prefix = prefix
        self._on_their_way: dict[asyncio.Task[TokensLeft | None], str] = {}
        """Charges and returns that the store has not confirmed yet, with their clients."""

    async def charge_request(self, client: str) -> None:
        """Counts a request; raises HttpError (429), and counts nothing, where the client must wait."""
        found = await self._take(client, requests=1, decides=True)
        if found is None:
            await self._own.charge_request(client)
        elif found.exhausted:
            raise self._own.refusal(client, found.exhausted)

    def check_audio(self, client: str) -> None:
        self._own.check_audio(client)

    def return_request(self, client: str) -> None:
        self._own.return_request(client)
        self._send(client, requests=-1)

    def charge_audio(self, client: str, seconds: float) -> None:
        self._own.charge_audio(client, seconds)
        self._send(client, audio_seconds=seconds)

    def return_audio(self, client: str, seconds: float) -> None:
        self._own.return_audio(client, seconds)
        if seconds:
            self._send(client, audio_seconds=-seconds)

    async def settle(self, client: str) -> None:
        """Waits until what was charged to the client and returned to it is counted for all pods, or the store is away.

        So a client that is told of its rest in a response finds it so in every pod.
        """
        if sent := [task for task, whose in self._on_their_way.items() if whose == client]:
            await asyncio.wait(sent)

    def headers(self, client: str) -> dict[str, str]:
        return self._own.headers(client)

    def _send(self, client: str, *, requests: float = 0.0, audio_seconds: float = 0.0) -> None:
        if not self._store.is_used or len(self._on_their_way) >= MOST_ON_THEIR_WAY:
            return
        task = asyncio.create_task(self._take(client, requests=requests, audio_seconds=audio_seconds, decides=False))
        self._on_their_way[task] = client
        task.add_done_callback(self._on_their_way.pop)

    async def _take(
        self, client: str, *, requests: float = 0.0, audio_seconds: float = 0.0, decides: bool
    ) -> TokensLeft | None:
        key = key_of(self._prefix, client)
        call = taking(key, self._own, requests=requests, audio_seconds=audio_seconds, decides=decides)
        if (reply := await self._store.call(call)) is None:
            return None
        found = tokens_left(reply)
        self._own.learn(client, found.requests, found.audio_seconds)
        return found
