"""A body is on disk, whole, without a name, and can be read again."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive

from whisper_runtime.errors import HttpError
from whisper_runtime.front import spool
from whisper_runtime.front.spool import PIECE_BYTES, SENT_BYTES, SpooledBody, spool_problem, spooled_body


def body_of(parts: Iterable[bytes]) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return messages.pop(0)

    return receive


async def content(body: SpooledBody) -> bytes:
    return b"".join([piece async for piece in body.pieces()])


@given(st.lists(st.sampled_from([0, 1, 1000, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES * 3 + 7]), max_size=5))
async def test_what_comes_in_any_parts_is_read_whole_and_as_often_as_wanted(sizes: list[int]) -> None:
    parts = [os.urandom(size) for size in sizes]
    seen: list[int] = []
    with spooled_body(None) as body:
        await body.receive(body_of(parts), seen.append)
        assert (body.size, sum(seen)) == (sum(sizes), sum(sizes))
        assert await content(body) == await content(body) == b"".join(parts)
        assert max([len(piece) async for piece in body.pieces()], default=0) <= SENT_BYTES


async def test_nothing_of_it_has_a_name(tmp_path: Path) -> None:
    with spooled_body(str(tmp_path)) as body:
        await body.receive(body_of([b"x" * PIECE_BYTES]), lambda _: None)
        assert list(tmp_path.iterdir()) == []


async def test_no_more_than_a_piece_of_it_waits_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    monkeypatch.setattr(spool, "_append", lambda _, data: written.append(len(data)))
    with spooled_body(None) as body:
        await body.receive(body_of([b"x" * 10_000] * 30), lambda _: None)
    assert max(written) < PIECE_BYTES + 10_000


async def test_a_disk_that_is_full_is_a_refusal_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: IO[bytes], __: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spool, "_append", full)
    with spooled_body(None) as body, pytest.raises(HttpError) as refused:
        await body.receive(body_of([b"x"]), lambda _: None)
    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "1"})


def test_a_directory_that_cannot_be_written_to_is_named_with_the_remedy(tmp_path: Path) -> None:
    assert spool_problem(str(tmp_path)) is None
    problem = spool_problem(str(tmp_path / "nowhere"))
    assert problem
    assert f"WHISPER_SPOOL_DIR is {tmp_path}/nowhere" in problem
    assert problem.endswith("mount a writable directory")
