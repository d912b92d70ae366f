"""A call answers or says why not; a task that is cancelled in one ends, whatever redis-py makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from testbed.store_server import StoreServer
from tests.runtime.service.shared.conftest import PREFIX
from whisper_runtime.service.shared.program_call import ProgramCall, service_key
from whisper_runtime.service.shared.store_caller import StoreAway, StoreCaller, StoreMemoryFull

KEY = service_key(PREFIX, "a")
ECHO = ProgramCall("return {1, ARGV[1]}", (KEY,), ("echo",))
WRITE = ProgramCall("#!lua\nredis.call('HSET', KEYS[1], 'a', '1') return {1}", (KEY,), ())
WRONG = ProgramCall("return redis.error_reply('ERR no such luck')", (KEY,), ())


@pytest.fixture
async def caller(server: StoreServer, tmp_path: Path) -> AsyncIterator[StoreCaller]:
    (tmp_path / "url").write_text(f"{server.url}\n")
    opened = StoreCaller(str(tmp_path / "url"), None)
    yield opened
    await opened.close()


async def test_a_call_has_its_reply(caller: StoreCaller) -> None:
    assert await caller.call(ECHO) == [1, b"echo"]


async def test_what_the_store_refuses_is_said_and_the_next_call_has_its_reply(caller: StoreCaller) -> None:
    with pytest.raises(StoreAway, match="no such luck"):
        await caller.call(WRONG)
    assert await caller.call(ECHO) == [1, b"echo"]


async def test_a_store_without_memory_is_not_away(caller: StoreCaller, server: StoreServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(StoreMemoryFull):
        await caller.call(WRITE)


async def test_a_store_that_comes_back_is_used_again(caller: StoreCaller, server: StoreServer) -> None:
    await caller.call(ECHO)
    server.kill()
    with pytest.raises(StoreAway):
        await caller.call(ECHO)
    server.start()
    assert await caller.call(ECHO) == [1, b"echo"]


async def test_a_task_that_is_cancelled_in_a_call_ends(caller: StoreCaller) -> None:
    for turns in range(300):
        task = asyncio.create_task(caller.call(ECHO))
        for _ in range(turns % 30):
            await asyncio.sleep(0)
        if task.cancel():
            await asyncio.wait([task])
            assert task.cancelled()
    assert await caller.call(ECHO) == [1, b"echo"]
