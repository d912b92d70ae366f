"""Clients as they come: patient ones, ones that hang up, and ones that read a few bytes at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

BOUNDARY: Final = "speech"
ANSWER_SECONDS: Final = 400
"""Beyond every deadline: who has no answer by then hangs."""
SLOW_BYTES: Final = 16
SLOW_SECONDS: Final = 0.05


class Manner(Enum):
    PATIENT = "patient"
    HANGS_UP = "hangs up"
    READS_SLOWLY = "reads slowly"


@dataclass(frozen=True)
class Speech:
    """A file to send, and the words that it must become."""

    name: str
    content: bytes
    text: str = ""


@dataclass(frozen=True)
class Outcome:
    speech: Speech
    manner: Manner
    status: int
    """0: there was no answer."""
    seconds: float
    retry_after: str
    text: str
    code: str


async def ask(port: int, speech: Speech, manner: Manner = Manner.PATIENT, hang_up_after: float = 0.0) -> Outcome:
    """Sends one request on a connection of its own, and behaves as told."""
    started = time.perf_counter()
    head, body = b"", b""
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(_request(speech))
            await writer.drain()
            if manner is Manner.HANGS_UP:
                await asyncio.sleep(hang_up_after)
            else:
                async with asyncio.timeout(ANSWER_SECONDS):
                    head, _, body = (await _read(reader, manner)).partition(b"\r\n\r\n")
        finally:
            writer.close()
    return _outcome(speech, manner, time.perf_counter() - started, head, body)


async def _read(reader: asyncio.StreamReader, manner: Manner) -> bytes:
    if manner is Manner.PATIENT:
        return await reader.read()
    answer = b""
    while piece := await reader.read(SLOW_BYTES):
        answer += piece
        await asyncio.sleep(SLOW_SECONDS)
    return answer


def _request(speech: Speech) -> bytes:
    disposition = f'Content-Disposition: form-data; name="file"; filename="{speech.name}"'
    body = f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode() + speech.content + f"\r\n--{BOUNDARY}--\r\n".encode()
    head = (
        "POST /transcribe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _outcome(speech: Speech, manner: Manner, seconds: float, head: bytes, body: bytes) -> Outcome:
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    found: dict[str, Any] = {}
    with contextlib.suppress(ValueError):
        found = json.loads(body)
    error: dict[str, Any] = found.get("error") or {}
    code: str = error.get("code") or ""
    number = int(status.split()[1]) if status else 0
    return Outcome(speech, manner, number, seconds, headers.get("retry-after", ""), found.get("text", ""), code)
