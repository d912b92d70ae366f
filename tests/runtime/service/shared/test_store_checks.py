"""What is wrong with a store, with its remedy; the servers' own words are in test_shared_store.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import ConnectionError, MovedError, NoPermissionError, ResponseError

from whisper_runtime.contract.shared_store import MESSAGE_LENGTH
from whisper_runtime.service.shared.store_checks import REMEDIES, of_error, of_server
from whisper_runtime.service.shared.store_url import StoreUrl

URL = StoreUrl.parse("redis://:sesame@valkey.store")
OF_SENTINELS = StoreUrl.parse("redis+sentinel://a/speech").at("10.0.0.1", 6379)


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ({"valkey_version": "8.0.0", "redis_version": "7.2.4"}, "StoreInUse"),
        ({"valkey_version": "10.1.0", "redis_version": "7.2.4"}, "StoreInUse"),
        ({"valkey_version": "7.2.9", "redis_version": "7.2.4"}, "StoreTooOld"),
        ({"redis_version": "7.0.15"}, "StoreInUse"),
        ({"redis_version": "8.2"}, "StoreInUse"),
        ({"redis_version": "6.2.14"}, "StoreTooOld"),
        ({"redis_version": "unknown"}, "StoreTooOld"),
        ({}, "StoreTooOld"),
        ({"redis_version": "7.0.15", "role": "slave"}, "StoreReadOnly"),
        ({"redis_version": "7.0.15", "maxmemory": 0, "maxmemory_policy": "allkeys-lru"}, "StoreInUse"),
        ({"redis_version": "7.0.15", "maxmemory": 100, "maxmemory_policy": "noeviction"}, "StoreInUse"),
        ({"redis_version": "7.0.15", "maxmemory": 100, "maxmemory_policy": "volatile-ttl"}, "StoreEvicts"),
        ({"redis_version": "7.0.15", "maxmemory": 100, "maxmemory_policy": "allkeys-lfu"}, "StoreEvicts"),
    ],
)
def test_what_a_server_says_of_itself(info: dict[str, Any], reason: str) -> None:
    assert of_server(info, URL, has_jobs=False).reason == reason


@pytest.mark.parametrize(
    ("settings", "reason", "remedy"),
    [
        ({"aof_enabled": 1}, "StoreInUse", ""),
        ({"aof_enabled": 0}, "StoreNotDurable", "loses jobs when it is restarted"),
        ({"aof_enabled": 0, "maxmemory": 1, "maxmemory_policy": "allkeys-lru"}, "StoreEvicts", "forgets jobs"),
        ({"aof_enabled": 0, "role": "slave"}, "StoreReadOnly", "let the URL name the primary"),
    ],
)
def test_jobs_need_a_store_that_loses_nothing(settings: dict[str, Any], reason: str, remedy: str) -> None:
    found = of_server({"valkey_version": "9.1.2"} | settings, URL, has_jobs=True)
    assert found.reason == reason
    assert remedy in found.message


@pytest.mark.parametrize("told", [{"redis_mode": "sentinel"}, {"server_mode": "sentinel"}])
def test_a_sentinel_is_no_store_and_the_url_for_it_is_told(told: dict[str, str]) -> None:
    found = of_server({"redis_version": "7.0.15"} | told, URL, has_jobs=False)
    assert found.reason == "StoreRefused"
    assert "is a sentinel, which keeps nothing: write rediss+sentinel://" in found.message


@pytest.mark.parametrize("answer", REMEDIES)
def test_an_answer_that_the_client_has_no_error_for_has_its_remedy(answer: str) -> None:
    found = of_error(ResponseError(f"{answer} … {'x' * 1000}"), URL, "~whisper:*")
    assert (found.reason, found.message.endswith(REMEDIES[answer])) == ("StoreRefused", True)


def test_a_version_that_is_too_old_is_named() -> None:
    found = of_server({"valkey_version": "7.2.9", "redis_version": "7.2.4"}, URL, has_jobs=False)
    assert found.message == (
        "the store at valkey.store:6379 is Valkey 7.2.9: use Valkey 8 or Redis 7, or a later version"
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionError("Error 111 connecting"), "StoreUnreachable"),
        (OSError("no route"), "StoreUnreachable"),
        (TimeoutError(), "StoreUnreachable"),
        (MovedError("16214 10.0.0.2:6379"), "StoreUnreachable"),
        (ResponseError("MISCONF Errors writing to the AOF file"), "StoreRefused"),
        (KeyError("what"), "StoreRefused"),
    ],
)
def test_what_an_error_means(error: Exception, reason: str) -> None:
    assert of_error(error, URL, "~whisper:*").reason == reason


def test_no_message_is_longer_than_a_condition_takes() -> None:
    found = of_error(ResponseError("x" * 10_000), URL, "~whisper:*")
    assert len(found.message) <= MESSAGE_LENGTH


@pytest.mark.parametrize(("path", "is_named"), [("", False), ("/0", False), ("/3", True)])
def test_another_database_needs_a_right_more(path: str, is_named: bool) -> None:
    url = StoreUrl.parse(f"redis://valkey.store{path}")
    message = of_error(NoPermissionError(), url, "~whisper:{team/dictation}:* +evalsha").message or ""
    assert ("+select" in message) is is_named
    assert "+evalsha" in message


@pytest.mark.parametrize(
    ("has_jobs", "replicas", "reason"),
    [(True, 0, "StoreNotReplicated"), (True, 1, "StoreInUse"), (False, 0, "StoreInUse")],
)
@pytest.mark.parametrize("url", [OF_SENTINELS, replace(URL, is_cluster=True)], ids=["sentinels", "cluster"])
def test_a_primary_that_fails_over_takes_no_jobs_without_a_replica(
    url: StoreUrl, has_jobs: bool, replicas: int, reason: str
) -> None:
    info = {"redis_version": "7.0.15", "aof_enabled": 1, "connected_slaves": replicas}
    assert of_server(info, url, has_jobs=has_jobs).reason == reason
