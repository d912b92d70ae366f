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
MAX_URL_BYTES: Final = 4096


def read_url(file: Path) -> StoreUrl:
    """The URL that the file has; raises OSError, and ValueError as StoreUrl.parse."""
    with file.open("rb") as content:
        return StoreUrl.parse(content.read(MAX_URL_BYTES).decode(errors="replace").strip())


def open_client(url: StoreUrl, ca_file: str | None) -> Redis:
    """A client that has not connected yet; `ca_file`: authorities in PEM, None: the system's.

    Raises OSError where the file has none.
    """
    tls: dict[str, Any] = {}
    if url.is_tls:
        ssl.create_default_context(cafile=ca_file)  # raises now what else each connection would
        tls = {"ssl_ca_certs": ca_file, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
    return Redis.from_pool(
        BlockingConnectionPool(
            MAX_CONNECTIONS,
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
