"""Which server a service's keys are on now: the URL's own, the primary that sentinels name, or a node of a cluster."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, ConnectionError, MovedError, RedisError

from whisper_runtime.service.shared.store_client import open_client
from whisper_runtime.service.shared.store_url import StoreUrl, written

PROBE: Final = "return 1"
"""A program that does nothing: a node of a cluster runs it where it has the key, else it names the node that has."""


async def located(url: StoreUrl, ca_file: str | None, key: str) -> StoreUrl:
    """The URL with the host and port of the primary that has `key`, and with it each key of the service.

    Raises ConnectionError where no sentinel knows it, RedisError where the server does not say it, and OSError as
    `open_client`.
    """
    if url.sentinels:
        return await _by_sentinels(url, ca_file)
    client = open_client(url, ca_file)
    try:
        if not is_of_cluster(await cast(Any, client).execute_command("INFO", "server")):
            return url
        return await _in_cluster(replace(url, is_cluster=True), client, key)
    finally:
        await _closed(client)


def is_of_cluster(info: dict[str, Any]) -> bool:
    """Whether the server that says this of itself is a node of a cluster, each of which has a part of the keys."""
    return "cluster" in (info.get("redis_mode"), info.get("server_mode"))


async def _in_cluster(url: StoreUrl, client: Redis, key: str) -> StoreUrl:
    """Source: https://valkey.io/topics/cluster-spec/#moved-redirection"""
    try:
        await cast(Any, client).execute_command("EVAL", PROBE, 1, key)
    except MovedError as moved:
        host, port = cast(tuple[str, int], (cast(Any, moved).host, moved.port))
        return url.at(host or url.host, port)  # without a host, it is that of the node which was asked
    return url


async def _by_sentinels(url: StoreUrl, ca_file: str | None) -> StoreUrl:
    """As the first sentinel knows it that answers."""
    problem = "no sentinel answers"
    for host, port in url.sentinels:
        login = {"username": url.sentinel_username, "password": url.sentinel_password}
        client = open_client(replace(url.at(host, port), **login, database=0), ca_file)
        try:
            found = await cast(Any, client).execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", url.primary)
            if found:
                return url.at(_text(found[0]), int(found[1]))
            problem = "no primary of this name is known"
        except AuthenticationError:
            problem = f"{written(host, port)} takes no such password: correct sentinel_password in the Secret's URL"
        except (TimeoutError, RedisError, OSError) as error:
            problem = f"{written(host, port)} says {type(error).__name__}"
        finally:
            await _closed(client)
    raise ConnectionError(f"{problem}; see whether the sentinels run, and know the primary by that name")


async def _closed(client: Redis) -> None:
    with suppress(RedisError, OSError):
        await client.aclose()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
