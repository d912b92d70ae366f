"""Requests to a front by plain sockets: a client that costs little of the processors which both use."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)

KeptConnection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def upload(size: int, *, declared: int | None = None) -> bytes:
    """A request with a body of `size` bytes; `declared`: its length, where it says another."""
    head = f"POST /transcribe HTTP/1.1\r\nHost: front\r\nContent-Length: {declared or size}\r\n\r\n"
    return head.encode() + bytes(size)


def form_upload(content: bytes) -> bytes:
    """The request of a form with that file alone."""
    part = b'--form\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + content
    body = part + b"\r\n--form--\r\n"
    head = (
        "POST /transcribe HTTP/1.1\r\nHost: front\r\nContent-Type: multipart/form-data; boundary=form\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def answered(connection: KeptConnection, request: bytes) -> int:
    """The status of the answer, which is read to its end; it has a length."""
    reader, writer = connection
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    match = LENGTH.search(head)
    await reader.readexactly(int(match[1]) if match else 0)
    return int(head.split(b" ", 2)[1])


async def answers(port: int, requests: int, clients: int, request: bytes) -> Counter[int]:
    """How many answers there are of each status, to so many requests of so many clients.

    Each has a connection of its own: what is refused before its body is, ends it.
    """
    left = iter(range(requests))
    found = Counter[int]()

    async def one_after_the_other() -> None:
        for _ in left:
            async with connected(port, 1) as (connection,):
                found[await answered(connection, request)] += 1

    await asyncio.gather(*(one_after_the_other() for _ in range(clients)))
    return found


async def answers_on_kept_connections(port: int, requests: int, clients: int, request: bytes) -> Counter[int]:
    """The same, where each client keeps its connection."""
    left = iter(range(requests))
    found = Counter[int]()

    async def one_after_the_other(connection: KeptConnection) -> None:
        for _ in left:
            found[await answered(connection, request)] += 1

    async with connected(port, clients) as opened:
        await asyncio.gather(*map(one_after_the_other, opened))
    return found


@asynccontextmanager
async def connected(port: int, count: int) -> AsyncGenerator[list[KeptConnection]]:
    """So many connections, until the block ends."""
    async with AsyncExitStack() as stack:
        opened: list[KeptConnection] = []
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            opened.append((reader, writer))
        yield opened
