"""A store is used while it is as it must be; else its report says why and what to do, and no request waits for it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from testbed.sentinels import watched
from testbed.store_server import ALL_RIGHTS, LIMITS, PASSWORD, StoreProgram, StoreServer, running
from tests.runtime.service.shared.conftest import PREFIX, OpenShared, until
from tests.support.certificates import expired, self_signed
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.service.rate_limits import RateLimits
from whisper_runtime.service.shared.bucket_program import key_of, taking
from whisper_runtime.service.shared.program_call import ProgramCall
from whisper_runtime.service.shared.shared_store import LATE_SECONDS, WAITS_SECONDS
from whisper_runtime.service.shared.store_url import StoreUrl

CALL = taking(key_of(PREFIX, "key alice"), RateLimits(10, None), requests=1, decides=True)


def in_use(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("whisper_store_in_use")


async def test_a_store_is_used_by_a_user_with_no_more_rights_than_documented(
    server: StoreServer, open_store: OpenShared
) -> None:
    metrics = Metrics("base")
    store = open_store(server.url, metrics=metrics)
    assert await until(store, "StoreInUse") == ""
    reply = await store.call(CALL)
    assert reply is not None
    assert (reply[0], float(reply[1])) == (0, 9)
    assert in_use(metrics.registry) == 1
    assert metrics.registry.get_sample_value("whisper_store_duration_seconds_count") == 1


async def test_a_killed_store_is_left_at_once_and_used_again_once_it_is_back(
    server: StoreServer, open_store: OpenShared, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    metrics = Metrics("base")
    store = open_store(server.url, metrics=metrics)
    await until(store, "StoreInUse")
    server.kill()
    assert await store.call(CALL) is None
    assert not store.is_used
    assert in_use(metrics.registry) == 0
    message = await until(store, "StoreUnreachable")
    assert message.startswith(f"the store at 127.0.0.1:{server.port} cannot be reached: ")
    server.start()
    await until(store, "StoreInUse")
    assert await store.call(CALL) is not None
    assert in_use(metrics.registry) == 1
    changes = [
        (record.levelname, record.message.partition(":")[0]) for record in caplog.records if "store" in record.name
    ]
    assert changes == [
        ("INFO", "the shared store is in use"),
        ("WARNING", "the store at 127.0.0.1"),
        ("INFO", "the shared store is in use"),
    ]


async def test_a_store_that_does_not_answer_holds_up_calls_of_a_quarter_of_a_second_and_no_later_one(
    server: StoreServer, open_store: OpenShared
) -> None:
    store = open_store(server.url, waits=WAITS_SECONDS)
    await until(store, "StoreInUse")
    server.pause()
    late = 0
    while store.is_used:
        assert await asyncio.gather(*(store.call(CALL) for _ in range(100))) == [None] * 100
        late += 1
    assert late <= LATE_SECONDS / sum(WAITS_SECONDS)
    assert "does not answer in time" in store.report.message
    later = asyncio.create_task(store.call(CALL))
    await asyncio.sleep(0)  # one turn of the loop, in which nothing can have been waited for
    assert later.done()
    server.resume()
    await until(store, "StoreInUse")
    assert await store.call(CALL) is not None


async def test_a_store_that_is_late_once_as_while_it_saves_stays_in_use(
    server: StoreServer, open_store: OpenShared
) -> None:
    metrics = Metrics("base")
    waits = [30.0]
    store = open_store(server.url, metrics=metrics, waits=waits)
    await until(store, "StoreInUse")
    server.pause()
    waits[:] = [0.01]
    assert await store.call(CALL) is None, "the request goes on without the store"
    waits[:] = [30.0]
    server.resume()
    assert await store.call(CALL) is not None
    assert store.is_used
    assert metrics.registry.get_sample_value("whisper_store_late_calls_total") == 1
    left = metrics.registry.get_sample_value("whisper_store_failures_total", {"reason": "StoreUnreachable"})
    assert left is None, "the pod never counted alone for others' calls"


@pytest.mark.parametrize("missing", [one for one in LIMITS if one.startswith(("+", "~"))])
async def test_each_right_that_the_user_lacks_is_found(
    server: StoreServer, open_store: OpenShared, missing: str
) -> None:
    server.give([one for one in ALL_RIGHTS if one != missing])
    message = await until(store := open_store(server.url), "StoreRightsMissing")
    assert message.endswith("ACL SETUSER … ~whisper:{team/speech}:* +info +eval +evalsha +time +hmget +hset +expire")
    server.give(ALL_RIGHTS)
    await until(store, "StoreInUse")


async def test_a_right_that_is_taken_while_the_store_is_in_use_is_found(
    server: StoreServer, open_store: OpenShared
) -> None:
    store = open_store(server.url)
    await until(store, "StoreInUse")
    server.give([one for one in ALL_RIGHTS if one != "+hset"])
    assert await store.call(CALL) is None
    assert store.report.reason == "StoreRightsMissing"


async def test_a_login_that_fails_says_so_and_no_password(server: StoreServer, open_store: OpenShared) -> None:
    store = open_store(server.url.replace("p%40ss", "wrong"))
    assert "correct them in the Secret's URL" in await until(store, "StoreLoginFailed")
    assert "wrong" not in store.report.message
    assert PASSWORD not in store.report.message


async def test_a_store_that_evicts_is_used_and_says_so(server: StoreServer, open_store: OpenShared) -> None:
    server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    server.ask("CONFIG", "SET", "maxmemory", "100mb")
    store = open_store(server.url)
    assert "maxmemory-policy allkeys-lru: set noeviction" in await until(store, "StoreEvicts")
    assert await store.call(CALL) is not None


async def test_a_store_without_memory_is_not_used(server: StoreServer, open_store: OpenShared) -> None:
    server.ask("CONFIG", "SET", "maxmemory", "1")
    assert "raise its maxmemory" in await until(open_store(server.url), "StoreFull")


async def test_a_replica_is_not_used(server: StoreServer, open_store: OpenShared) -> None:
    server.ask("REPLICAOF", "127.0.0.1", "1")
    store = open_store(server.url)
    assert "let the URL name the primary" in await until(store, "StoreReadOnly")
    server.ask("REPLICAOF", "NO", "ONE")
    await until(store, "StoreInUse")


async def test_a_database_that_is_not_there_is_named(server: StoreServer, open_store: OpenShared) -> None:
    server.give((*ALL_RIGHTS, "+select"))
    message = await until(open_store(f"{server.url}/99"), "StoreRefused")
    assert message.endswith("it has no database of the URL's number: name another, or none")


async def test_a_primary_that_misses_its_replicas_says_so(server: StoreServer, open_store: OpenShared) -> None:
    server.ask("CONFIG", "SET", "min-replicas-to-write", "1")
    store = open_store(server.url)
    message = await until(store, "StoreRefused")
    assert message.endswith("fewer replicas follow than its min-replicas-to-write: start one")
    server.ask("CONFIG", "SET", "min-replicas-to-write", "0")
    await until(store, "StoreInUse")


async def test_tls_where_there_is_none_and_none_where_there_is_are_told(
    tmp_path: Path, server: StoreServer, open_store: OpenShared
) -> None:
    certificate, key = self_signed(tmp_path)
    as_tls = open_store(server.url.replace("redis://", "rediss://"), str(certificate))
    assert (await until(as_tls, "StoreUnreachable")).endswith("or whether it has no TLS, redis://")
    with running("redis", tmp_path / "other", (certificate, key)) as other:
        as_plain = open_store(other.url.replace("rediss://", "redis://"))
        assert (await until(as_plain, "StoreUnreachable")).endswith("or whether it wants TLS, rediss://")


@pytest.mark.parametrize("program", ["valkey", "redis"])
async def test_a_sentinel_is_no_store_and_takes_its_own_password(
    program: StoreProgram, tmp_path: Path, open_store: OpenShared
) -> None:
    with watched(program, tmp_path / "watched") as watching:
        store = open_store(watching.url)
        await until(store, "StoreInUse")
        (host, port), *_ = StoreUrl.parse(watching.url).sentinels
        (tmp_path / "url").write_text(f"redis://{host}:{port}")
        assert "is a sentinel, which keeps nothing: write rediss+sentinel://" in await until(store, "StoreRefused")
        (tmp_path / "url").write_text(f"{watching.url}?sentinel_password=none-is-wanted")
        assert "correct sentinel_password in the Secret's URL" in await until(store, "StoreUnreachable")


async def test_a_url_that_is_corrected_in_its_secret_needs_no_restart(
    server: StoreServer, open_store: OpenShared, tmp_path: Path
) -> None:
    store = open_store(None)
    assert "cannot be read" in await until(store, "StoreUrlInvalid")
    (tmp_path / "url").write_text("http://secret@example.com")
    while "does not begin with redis://" not in store.report.message:
        await until(store, "StoreUrlInvalid")
    assert "example.com" not in store.report.message
    (tmp_path / "url").write_text(server.url)
    await until(store, "StoreInUse")


async def test_tls_is_used_with_the_authority_that_is_named(tmp_path: Path, open_store: OpenShared) -> None:
    certificate, key = self_signed(tmp_path)
    with running("redis", tmp_path / "server", (certificate, key)) as server:
        store = open_store(server.url, str(certificate))
        await until(store, "StoreInUse")
        assert await store.call(CALL) is not None


async def test_a_certificate_that_is_not_trusted_names_the_field(tmp_path: Path, open_store: OpenShared) -> None:
    with running("redis", tmp_path / "server", self_signed(tmp_path)) as server:
        message = await until(open_store(server.url), "StoreTlsFailed")
    assert "spec.redis.caConfigMapKeyRef" in message


async def test_a_certificate_for_another_host_is_not_trusted(tmp_path: Path, open_store: OpenShared) -> None:
    certificate, key = self_signed(tmp_path, "DNS:valkey.example.com")
    with running("redis", tmp_path / "server", (certificate, key)) as server:
        message = await until(open_store(server.url, str(certificate)), "StoreTlsFailed")
    assert message.endswith("write in the URL the host that it is for")


async def test_a_certificate_that_has_expired_is_to_be_renewed(tmp_path: Path, open_store: OpenShared) -> None:
    certificate, key = expired(tmp_path)
    with running("redis", tmp_path / "server", (certificate, key)) as server:
        message = await until(open_store(server.url, str(certificate)), "StoreTlsFailed")
    assert "(certificate has expired): renew it" in message


async def test_a_server_that_wants_certificates_of_clients_is_told_apart(
    tmp_path: Path, open_store: OpenShared
) -> None:
    certificate, key = self_signed(tmp_path)
    with running("redis", tmp_path / "server", (certificate, key)) as server:
        server.ask("CONFIG", "SET", "tls-auth-clients", "yes")
        message = await until(open_store(server.url, str(certificate)), "StoreTlsFailed")
    assert message.endswith("set tls-auth-clients no or optional")


async def test_authorities_that_cannot_be_read_are_named(tmp_path: Path, open_store: OpenShared) -> None:
    for content in (None, "no certificate"):
        if content is not None:
            (tmp_path / "ca.crt").write_text(content)
        message = await until(open_store("rediss://127.0.0.1", str(tmp_path / "ca.crt")), "StoreTlsFailed")
        assert message.startswith(
            "WHISPER_REDIS_CA_FILE, the ConfigMap of spec.redis.caConfigMapKeyRef, cannot be used"
        )


async def test_what_is_no_store_is_not_used(open_store: OpenShared) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"*-7\r\nHTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as other:
        store = open_store(f"redis://127.0.0.1:{other.sockets[0].getsockname()[1]}")
        while store.report.reason == "StoreUntried":
            await asyncio.sleep(0.01)
        assert not store.is_used
        assert await store.call(ProgramCall("return 1", ("k",), ())) is None
