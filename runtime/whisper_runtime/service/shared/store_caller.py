"""Calls of a store that their callers wait for, and whose failures they get: those of jobs, which nothing replaces."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, RedisError

from whisper_runtime.service.shared.program_call import ProgramCall
from whisper_runtime.service.shared.store_client import Reply, open_client, read_url, run


class StoreAway(Exception):
    """The store cannot be reached, or cannot do it; whether it has done it is not known."""


class StoreMemoryFull(Exception):
    """The store has no memory for it, and has changed nothing."""


class StoreCaller:
    """In the event loop's thread. Each failure closes its connections: what is opened next has the newest URL."""

    def __init__(self, url_file: str, ca_file: str | None) -> None:
        self._url_file, self._ca_file = Path(url_file), ca_file
        self._client: Redis | None = None

    async def call(self, call: ProgramCall) -> Reply:
        """Takes some seconds at most. Raises StoreAway, StoreMemoryFull.

        To cancel the task does not end the call: redis-py swallows the cancellation of one in ten, and the task would
        go on (findings/redis-py-swallows-cancellation.sh).
        """
        calling = asyncio.ensure_future(self._call(call))
        calling.add_done_callback(_retrieved)
        return await asyncio.shield(calling)

    async def _call(self, call: ProgramCall) -> Reply:
        try:
            client = self._client = self._client or self._open()
            (reply,) = await run(client, [call])
        except (TimeoutError, RedisError, OSError, ValueError) as error:
            await self.close()
            raise StoreAway(f"{type(error).__name__}: {error}") from error
        if isinstance(reply, OutOfMemoryError):
            raise StoreMemoryFull(str(reply))
        if isinstance(reply, Exception):
            await self.close()
            raise StoreAway(f"{type(reply).__name__}: {reply}") from reply
        return reply

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(RedisError, OSError):
                await client.aclose()

    def _open(self) -> Redis:
        return open_client(read_url(self._url_file), self._ca_file)


def _retrieved(calling: asyncio.Future[Reply]) -> None:
    """Has nobody warned of an error whose caller was cancelled."""
    if not calling.cancelled():
        calling.exception()
