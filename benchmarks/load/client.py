"""HTTP clients that wait, hang up, or read a few bytes at a time."""

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
"""Longer than every deadline of the runtime."""
SLOW_BYTES: Final = 16
SLOW_SECONDS: Final = 0.05


class ClientBehaviour(Enum):
    PATIENT = "patient"
    HANGS_UP = "hangs up"
    READS_SLOWLY = "reads slowly"


@dataclass(frozen=True)
class AudioFile:
    """A file to send, and the text that it must give."""

    name: str
    content: bytes
    text: str = ""


@dataclass(frozen=True)
class RequestOutcome:
    file: AudioFile
    behaviour: ClientBehaviour
    status: int
    """HTTP status; 0 when there was no answer."""
    seconds: float
    retry_after: str
    text: str
    code: str


async def ask(
    port: int, file: AudioFile, behaviour: ClientBehaviour = ClientBehaviour.PATIENT, hang_up_after: float = 0.0
) -> RequestOutcome:
    """Sends one request on a connection of its own; a client that hangs up does so after `hang_up_after` seconds."""
    started = time.perf_counter()
    head, body = b"", b""
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(_request(file))
            await writer.drain()
            if behaviour is ClientBehaviour.HANGS_UP:
                await asyncio.sleep(hang_up_after)
            else:
                async with asyncio.timeout(ANSWER_SECONDS):
                    head, _, body = (await _read(reader, behaviour)).partition(b"\r\n\r\n")
        finally:
            writer.close()
    return _outcome(file, behaviour, time.perf_counter() - started, head, body)


async def _read(reader: asyncio.StreamReader, behaviour: ClientBehaviour) -> bytes:
    if behaviour is ClientBehaviour.PATIENT:
        return await reader.read()
    answer = b""
    while piece := await reader.read(SLOW_BYTES):
        answer += piece
        await asyncio.sleep(SLOW_SECONDS)
    return answer


def _request(file: AudioFile) -> bytes:
    disposition = f'Content-Disposition: form-data; name="file"; filename="{file.name}"'
    body = f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode() + file.content + f"\r\n--{BOUNDARY}--\r\n".encode()
    head = (
        "POST /transcribe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _outcome(file: AudioFile, behaviour: ClientBehaviour, seconds: float, head: bytes, body: bytes) -> RequestOutcome:
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    found: dict[str, Any] = {}
    with contextlib.suppress(ValueError):
        found = json.loads(body)
    error: dict[str, Any] = found.get("error") or {}
    code: str = error.get("code") or ""
    number = int(status.split()[1]) if status else 0
    return RequestOutcome(file, behaviour, number, seconds, headers.get("retry-after", ""), found.get("text", ""), code)
