"""Calls of many requests over one connection: those that come during one round trip go together with the next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from redis.asyncio import Redis

from whisper_runtime.service.shared.program_call import ProgramCall
from whisper_runtime.service.shared.store_client import Reply, run

MOST_WAITING: Final = 4096
"""Calls that wait for their round trip: more than a process has requests at once."""


class StorePipeline:
    """In the event loop's thread. It is closed by cancelling `run`, which ends the calls that wait."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._waiting: list[tuple[ProgramCall, asyncio.Future[Reply]]] = []
        self._wake = asyncio.Event()
        self._is_closed = False

    def submit(self, call: ProgramCall) -> asyncio.Future[Reply]:
        """The reply to come, or what the store raises; cancelled where too many wait, or the pipeline is closed."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if self._is_closed or len(self._waiting) >= MOST_WAITING:
            future.cancel()
        else:
            self._waiting.append((call, future))
            self._wake.set()
        return future

    async def run(self) -> None:
        """Makes one round trip after another, until it is cancelled."""
        try:
            while not is_ending():
                await self._wake.wait()
                self._wake.clear()
                batch, self._waiting = self._waiting, []
                try:
                    replies = await run(self._client, [call for call, _ in batch])
                except asyncio.CancelledError:
                    self._waiting = [*batch, *self._waiting]
                    raise
                except Exception as error:  # of whatever kind: each caller decides
                    replies = [error] * len(batch)
                _answer([future for _, future in batch], replies)
        finally:
            self._is_closed = True
            for _, future in self._waiting:
                future.cancel()
            self._waiting = []


def is_ending() -> bool:
    """Whether this task was cancelled; an error of the store that comes at the same moment may take the place of it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _answer(futures: Sequence[asyncio.Future[Reply]], replies: Sequence[Reply | Exception]) -> None:
    for future, reply in zip(futures, replies, strict=True):
        if future.done():
            continue
        if isinstance(reply, Exception):
            future.set_exception(reply)
            future.exception()  # retrieved: its caller may have gone
        else:
            future.set_result(reply)
