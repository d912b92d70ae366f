"""Clients that ask for their jobs' status once a second, each on a connection of its own."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

PERIOD_SECONDS: Final = 1.0
HEAD_LIMIT: Final = 64 * 1024


@dataclass
class PollCounts:
    statuses: Counter[int] = field(default_factory=Counter[int])
    seconds: list[float] = field(default_factory=list[float])


@asynccontextmanager
async def polling(port: int, paths: Sequence[str], clients: int, counts: PollCounts) -> AsyncGenerator[None]:
    """While the block lasts, each client asks for its share of `paths`, one after the other and all over again.

    Raises what a client raises, at the end.
    """
    shares = [paths[number::clients] for number in range(clients)]
    tasks = [
        asyncio.create_task(_poll(port, share, number / clients * PERIOD_SECONDS, counts))
        for number, share in enumerate(shares)
        if share
    ]
    try:
        yield
    finally:
        broken = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in broken:
        task.result()


async def _poll(port: int, paths: Sequence[str], delay: float, counts: PollCounts) -> None:
    await asyncio.sleep(delay)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=HEAD_LIMIT)
    try:
        for path in itertools.cycle(paths):
            began = time.perf_counter()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            counts.statuses[await _status(reader)] += 1
            counts.seconds.append(time.perf_counter() - began)
            await asyncio.sleep(max(0.0, PERIOD_SECONDS - (time.perf_counter() - began)))
    finally:
        writer.close()


async def _status(reader: asyncio.StreamReader) -> int:
    """Reads one answer, whose length is declared."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
    return int(head.split()[1])
