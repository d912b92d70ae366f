"""Calls of a store that their callers wait for, and whose failures they get: those of jobs, which nothing replaces."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, RedisError

from whisper_runtime.service.shared.program_call import ProgramCall
from whisper_runtime.service.shared.store_client import (
    NotReplicated,
    Reply,
    open_client,
    read_url,
    run,
    run_replicated,
)
from whisper_runtime.service.shared.store_location import located
from whisper_runtime.service.shared.store_url import StoreUrl

CONNECTIONS: Final = 8
"""Calls that wait for a replica have one each meanwhile."""


class StoreAway(Exception):
    """The store cannot be reached, or cannot do it; whether it has done it is not known."""


class StoreMemoryFull(Exception):
    """The store has no memory for it, and has changed nothing."""


@dataclass(frozen=True)
class OpenedStore:
    url: StoreUrl
    client: Redis

    async def close(self) -> None:
        """Once more where it was used since."""
        with suppress(RedisError, OSError):
            await self.client.aclose()


class StoreCaller:
    """In the event loop's thread. Each failure closes its connections: what is opened next has the newest URL."""

    def __init__(self, url_file: str, ca_file: str | None) -> None:
        self._url_file, self._ca_file = Path(url_file), ca_file
        self._opened: OpenedStore | None = None
        self._opening = asyncio.Lock()

    async def call(self, call: ProgramCall, *, is_kept: bool = False) -> Reply:
        """Takes some seconds at most. Raises StoreAway, StoreMemoryFull.

        `is_kept`: whether it is to outlive the store's primary, where that has replicas.

        To cancel the task does not end the call: redis-py swallows the cancellation of one in ten, and the task would
        go on (findings/redis-py-swallows-cancellation.sh).
        """
        calling = asyncio.ensure_future(self._call(call, is_kept=is_kept))
        calling.add_done_callback(_retrieved)
        return await asyncio.shield(calling)

    async def _call(self, call: ProgramCall, *, is_kept: bool) -> Reply:
        try:
            opened = await self._open(call.keys[0])
        except (TimeoutError, RedisError, OSError, ValueError) as error:
            raise StoreAway(f"{type(error).__name__}: {error}") from error
        try:
            return await _reply(opened, call, is_kept=is_kept)
        except OutOfMemoryError as error:
            raise StoreMemoryFull(str(error)) from error
        except NotReplicated as error:
            raise StoreAway(str(error)) from error
        except (TimeoutError, RedisError, OSError) as error:
            if self._opened is opened:
                self._opened = None
            raise StoreAway(f"{type(error).__name__}: {error}") from error
        finally:
            if self._opened is not opened:  # a call that waited for its connection has opened it again
                await opened.close()

    async def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    async def _open(self, key: str) -> OpenedStore:
        """One for all calls, by the address as of now of the primary that has `key`, one of the service's."""
        async with self._opening:
            if self._opened is None:
                url = await located(read_url(self._url_file), self._ca_file, key)
                self._opened = OpenedStore(url, open_client(url, self._ca_file, CONNECTIONS))
            return self._opened


async def _reply(opened: OpenedStore, call: ProgramCall, *, is_kept: bool) -> Reply:
    if is_kept:
        return await run_replicated(opened.client, call, must_have_replica=opened.url.fails_over)
    (reply,) = await run(opened.client, [call])
    if isinstance(reply, Exception):
        raise reply
    return reply


def _retrieved(calling: asyncio.Future[Reply]) -> None:
    """Has nobody warned of an error whose caller was cancelled."""
    if not calling.cancelled():
        calling.exception()
