"""A refusal goes out whole before the rest of the body is read, and the rest is dropped for a bounded time."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from whisper_runtime.errors import HttpError
from whisper_runtime.http import early_response
from whisper_runtime.http.early_response import refuse

ERROR = HttpError(429, "The queue is full.", code="queue_full")


async def exchange(headers: list[tuple[bytes, bytes]], body: list[Message], longest: int = 0) -> list[str]:
    """What happens, in order: `read`, or what is sent."""
    events: list[str] = []

    async def receive() -> Message:
        events.append("read")
        return body.pop(0) if body else await asyncio.Future()

    async def send(message: Message) -> None:
        more = " more" if message.get("more_body") else ""
        events.append(f"{message['type'].removeprefix('http.response.')}{more}")

    await refuse(ERROR, {"type": "http", "headers": headers}, receive, send, longest)
    return events


async def test_the_rest_of_the_body_is_read_after_the_response() -> None:
    rest: list[Message] = [{"type": "http.request", "more_body": True}, {"type": "http.request"}]
    assert await exchange([], rest) == ["start", "body more", "read", "read", "body"]


async def test_a_client_that_hangs_up_is_not_waited_for() -> None:
    assert await exchange([], [{"type": "http.disconnect"}]) == ["start", "body more", "read", "body"]


async def test_a_client_that_never_ends_its_body_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_response, "LINGER_SECONDS", 0.001)
    assert await exchange([], []) == ["start", "body more", "read", "body"]


async def test_a_client_that_pours_is_read_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a client that would send ten pieces of 100 bytes, of which 250 are read."""
    monkeypatch.setattr(early_response, "LINGER_BYTES", 250)
    pieces: list[Message] = [{"type": "http.request", "body": b"." * 100, "more_body": True} for _ in range(10)]
    assert await exchange([], pieces) == ["start", "body more", "read", "read", "read", "body"]


async def test_a_body_that_the_server_would_take_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its sender, a front above all, finds the connection broken, and takes the server for lost."""
    monkeypatch.setattr(early_response, "LINGER_BYTES", 250)
    pieces: list[Message] = [{"type": "http.request", "body": b"." * 100, "more_body": True} for _ in range(3)]
    rest: list[Message] = [*pieces, {"type": "http.request", "body": b"."}]
    assert await exchange([], rest, longest=1000) == ["start", "body more", *["read"] * 4, "body"]


async def test_a_client_that_expects_100_sends_no_body() -> None:
    assert await exchange([(b"expect", b"100-continue")], []) == ["start", "body more", "body"]
