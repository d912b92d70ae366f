"""What servers leave in a real store is there for whoever asks by its name, until it is left anew."""

from __future__ import annotations

from testbed.store_server import LIMITS, StoreServer
from tests.runtime.service.shared.conftest import PREFIX, OpenShared, until
from whisper_runtime.service.shared.fact_program import finding, leaving
from whisper_runtime.service.shared.program_call import needed_rights


async def test_facts_are_found_by_their_name(server: StoreServer, open_store: OpenShared) -> None:
    await until(store := open_store(server.url), "StoreInUse")
    assert await store.call(finding(PREFIX, "base")) == []
    assert await store.call(leaving(PREFIX, "base", b"float32")) == [1]
    assert await store.call(leaving(PREFIX, "base", b"float32")) == [0]
    assert await store.call(leaving(PREFIX, "tiny", b"float16")) == [1]
    assert await store.call(finding(PREFIX, "base")) == [b"float32"]
    assert await store.call(leaving(PREFIX, "base", b"bfloat16")) == [1]
    assert await store.call(finding(PREFIX, "base")) == [b"bfloat16"]


async def test_nobody_finds_those_of_another_service(server: StoreServer, open_store: OpenShared) -> None:
    await until(store := open_store(server.url), "StoreInUse")
    await store.call(leaving(PREFIX, "base", b"float32"))
    assert await store.call(finding("team/other", "base")) == []


def test_they_need_no_right_that_limits_do_not() -> None:
    needed = needed_rights(PREFIX, [leaving(PREFIX, "base", b""), finding(PREFIX, "base")]).split()
    assert {right for right in needed if right.startswith("+")} <= set(LIMITS)
