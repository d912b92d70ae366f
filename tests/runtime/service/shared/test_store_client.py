"""The client sends what it must and no more, waits no longer than it is told, and tries nothing twice."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError, ResponseError, TimeoutError

from testbed.store_server import USER, StoreServer
from tests.runtime.service.shared.conftest import PREFIX
from whisper_runtime.service.shared import store_client
from whisper_runtime.service.shared.bucket_program import key_of
from whisper_runtime.service.shared.program_call import ProgramCall
from whisper_runtime.service.shared.store_client import MAX_CONNECTIONS, open_client, run, server_info
from whisper_runtime.service.shared.store_url import StoreUrl

KEY = key_of(PREFIX, "address 192.0.2.7")
ECHO = ProgramCall("return {1, ARGV[1]}", (KEY,), ("echo",))
OTHER = ProgramCall("return {2, KEYS[1]}", (KEY,), ())
WRONG = ProgramCall("return redis.error_reply('ERR no such luck')", (KEY,), ())


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Redis]:
    client = open_client(StoreUrl.parse(url), None)
    yield client
    await client.aclose()


@pytest.fixture
async def client(server: StoreServer) -> AsyncIterator[Redis]:
    async with opened(server.url) as found:
        yield found


def programs_sent(server: StoreServer) -> int:
    """How often a whole program came."""
    return server.ask("INFO", "commandstats").get("cmdstat_eval", {"calls": 0})["calls"]


async def test_each_call_has_its_reply_or_its_error_in_its_place(client: Redis) -> None:
    first, error, last = await run(client, [ECHO, WRONG, OTHER])
    assert (first, last) == ([1, b"echo"], [2, KEY.encode()])
    assert isinstance(error, ResponseError)
    assert "no such luck" in str(error)


async def test_a_program_is_sent_whole_only_where_the_server_does_not_know_it(
    client: Redis, server: StoreServer
) -> None:
    await run(client, [ECHO])
    assert programs_sent(server) == 1
    assert await run(client, [ECHO, OTHER, ECHO]) == [[1, b"echo"], [2, KEY.encode()], [1, b"echo"]]
    assert programs_sent(server) == 2
    server.ask("SCRIPT", "FLUSH")
    assert await run(client, [ECHO]) == [[1, b"echo"]]
    assert programs_sent(server) == 3


async def test_no_command_is_sent_beyond_the_documented_ones(client: Redis, server: StoreServer) -> None:
    await server_info(client)
    await run(client, [ECHO])
    assert server.ask("ACL", "LOG") == []
    assert "cmdstat_hello" not in server.ask("INFO", "commandstats")


async def test_a_server_says_what_it_is_judged_by(client: Redis, server: StoreServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory", "100mb")
    found = await server_info(client)
    assert {name: found[name] for name in ("role", "maxmemory", "maxmemory_policy")} == {
        "role": "master",
        "maxmemory": 100 << 20,
        "maxmemory_policy": "noeviction",
    }
    assert "redis_version" in found


async def test_calls_wait_for_one_of_few_connections(client: Redis, server: StoreServer) -> None:
    assert await asyncio.gather(*(run(client, [ECHO]) for _ in range(50))) == [[[1, b"echo"]]] * 50
    assert server.ask("CLIENT", "LIST").count(f" user={USER} ".encode()) == MAX_CONNECTIONS


async def test_a_server_that_is_killed_is_an_error(client: Redis, server: StoreServer) -> None:
    await run(client, [ECHO])
    server.kill()
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await run(client, [ECHO])


async def test_a_server_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_client, "SOCKET_SECONDS", 0.1)
    connections: list[asyncio.StreamWriter] = []

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as silent:
        url = f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        async with opened(url) as client, asyncio.timeout(30):
            with pytest.raises(TimeoutError):
                await server_info(client)
    assert len(connections) == 1


@pytest.mark.parametrize(("content", "error"), [(None, FileNotFoundError), ("no certificate", ssl.SSLError)])
def test_authorities_are_read_before_anything_connects_and_only_for_tls(
    tmp_path: Path, content: str | None, error: type[OSError]
) -> None:
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_text(content)
    with pytest.raises(error):
        open_client(StoreUrl.parse("rediss://valkey.store"), str(file))
    open_client(StoreUrl.parse("redis://valkey.store"), str(file))
