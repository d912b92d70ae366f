"""The client of a store, with nothing left to its defaults: those of redis-py 8 wait five seconds and try ten times."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError

from whisper_runtime.service.shared.program_call import ProgramCall
from whisper_runtime.service.shared.store_url import StoreUrl

Reply = Sequence[bytes | int]
"""Of a program."""
MAX_CONNECTIONS: Final = 2
"""One for calls, one to look at the server."""
SOCKET_SECONDS: Final = 2.0
"""For a connection, and for a reply; callers have less."""
COUNT: Final = "#!lua flags=allow-oom\nreturn redis.call('INCR', KEYS[1])"
"""A write that a store without memory takes, too: whoever deletes there is told that it is done."""
REPLICA_SECONDS: Final = 1.0
"""For a replica to have what was written."""
MAX_URL_BYTES: Final = 4096


class NotReplicated(Exception):
    """The store has done it, and no replica has it yet."""


def read_url(file: Path) -> StoreUrl:
    """The URL that the file has; raises OSError, and ValueError as StoreUrl.parse."""
    with file.open("rb") as content:
        return StoreUrl.parse(content.read(MAX_URL_BYTES).decode(errors="replace").strip())


def open_client(url: StoreUrl, ca_file: str | None, connections: int = MAX_CONNECTIONS) -> Redis:
    """A client that has not connected yet; `ca_file`: authorities in PEM, None: the system's.

    Raises OSError where the file has none.
    """
    check_authorities(url, ca_file)
    tls: dict[str, Any] = {}
    if url.is_tls:
        tls = {"ssl_ca_certs": ca_file, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
    return Redis.from_pool(
        BlockingConnectionPool(
            connections,
            timeout=None,
            connection_class=SSLConnection if url.is_tls else Connection,
            host=url.host,
            port=url.port,
            username=url.username,
            password=url.password,
            db=url.database,
            protocol=2,  # RESP3 adds a handshake, and notices of moves that nothing here waits for
            driver_info=None,  # CLIENT SETINFO is one right more
            retry=Retry(NoBackoff(), 0),
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=SOCKET_SECONDS,
            **tls,
        )
    )


def check_authorities(url: StoreUrl, ca_file: str | None) -> None:
    """Raises OSError where TLS is wanted and the file has no authority, as each connection would."""
    if url.is_tls:
        ssl.create_default_context(cafile=ca_file)


async def run(client: Redis, calls: Sequence[ProgramCall]) -> list[Reply | Exception]:
    """The reply to each call, or its error, in one round trip; raises RedisError, OSError."""
    replies = await _together(
        client, [("EVALSHA", call.digest, len(call.keys), *call.keys, *call.arguments) for call in calls]
    )
    unknown = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
    if unknown:  # a new server, or one that was restarted
        again = [calls[index] for index in unknown]
        whole = [("EVAL", call.program, len(call.keys), *call.keys, *call.arguments) for call in again]
        for index, reply in zip(unknown, await _together(client, whole), strict=True):
            replies[index] = reply
    return replies


async def _together(client: Redis, commands: Sequence[tuple[str | bytes | int, ...]]) -> list[Reply | Exception]:
    pipeline = cast(Any, client.pipeline(transaction=False))
    async with pipeline:
        for words in commands:
            pipeline.execute_command(*words)
        return await pipeline.execute(raise_on_error=False)


async def server_info(client: Redis) -> dict[str, Any]:
    """What the server says of itself, its memory, role and persistence; raises RedisError, OSError."""
    found: dict[str, Any] = {}
    for section in ("server", "memory", "replication", "persistence"):
        found |= await cast(Any, client).execute_command("INFO", section)
    return found


async def run_replicated(client: Redis, call: ProgramCall, *, must_have_replica: bool) -> Reply:
    """The reply to a call, once a replica has what it wrote, too, where the primary has one.

    `must_have_replica`: whether it has to have one. Raises RedisError, OSError, and NotReplicated.
    Source: https://valkey.io/commands/wait/
    """
    async with client.client() as one:  # WAIT is about what its own connection wrote
        ask = cast(Any, one).execute_command
        words = (len(call.keys), *call.keys, *call.arguments)
        try:
            reply = await ask("EVALSHA", call.digest, *words)
        except NoScriptError:
            reply = await ask("EVAL", call.program, *words)
        replication = await ask("INFO", "replication")
        if must_have_replica or replication.get("connected_slaves"):
            # What was found as an earlier call has left it, that one's replica may lack: WAIT is about the newest write
            # of this connection, and for one that wrote nothing it waits for nothing.
            await ask("EVAL", COUNT, 1, f"{call.keys[0]}:awaited")
            if not await ask("WAIT", 1, int(REPLICA_SECONDS * 1000)):
                raise NotReplicated("no replica has it yet, and with the primary it would be lost")
        return reply


async def try_to_wait(client: Redis) -> None:
    """Raises NoPermissionError where the user may not wait for replicas."""
    await cast(Any, client).execute_command("WAIT", 0, 0)
