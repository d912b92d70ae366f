"""The server that has a service's keys is found whichever node of a cluster the URL names, and again after a move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError

from testbed.store_cluster import StoreCluster, clustered
from testbed.store_server import StoreProgram, StoreServer
from tests.runtime.service.shared.conftest import PREFIX, OpenShared, until
from tests.support.waiting import eventually_async
from whisper_runtime.service.rate_limits import RateLimits
from whisper_runtime.service.shared.bucket_program import key_of, taking
from whisper_runtime.service.shared.shared_store import SharedStore
from whisper_runtime.service.shared.store_client import MAX_CONNECTIONS
from whisper_runtime.service.shared.store_location import located
from whisper_runtime.service.shared.store_url import StoreUrl

KEY = key_of(PREFIX, "key alice")
CALL = taking(KEY, RateLimits(10, None), requests=1, decides=True)


@pytest.fixture(params=["valkey", "redis"])
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreCluster]:
    program: StoreProgram = request.param
    with clustered(program, tmp_path / "cluster", KEY) as found:
        yield found


async def requests_left(store: SharedStore) -> float | None:
    """What the store's bucket has after a request more; None: the store did not answer."""
    reply = await store.call(CALL)
    return None if reply is None else float(reply[1])


async def test_a_server_of_its_own_is_where_its_url_says(server: StoreServer) -> None:
    url = StoreUrl.parse(server.url)
    assert await located(url, None, KEY) == url
    assert not url.fails_over


async def test_each_node_of_a_cluster_leads_to_the_one_that_has_the_keys(cluster: StoreCluster) -> None:
    for node in cluster.nodes:
        found = await located(StoreUrl.parse(node.url), None, KEY)
        assert (found.port, found.fails_over) == (cluster.primary().port, True)


async def test_pods_that_name_different_nodes_count_together(cluster: StoreCluster, open_store: OpenShared) -> None:
    left: list[float | None] = []
    for node in cluster.nodes:
        store = open_store(node.url)
        await until(store, "StoreInUse")
        left.append(await requests_left(store))
    assert left == sorted((one for one in left if one is not None), reverse=True)
    assert (left[0], len(left)) == (9, 4)


async def test_keys_that_move_to_another_node_are_followed(cluster: StoreCluster, open_store: OpenShared) -> None:
    store = open_store(cluster.url)
    await until(store, "StoreInUse")
    assert await requests_left(store) == 9
    cluster.move_slot()
    assert await requests_left(store) is None, "the request goes on without the store"
    await until(store, "StoreInUse")
    assert (left := await requests_left(store)) is not None
    assert left < 9, "what was counted has moved with the keys"


async def test_a_replica_that_takes_its_primarys_place_is_found(cluster: StoreCluster, open_store: OpenShared) -> None:
    store = open_store(cluster.url)
    await until(store, "StoreInUse")
    killed = cluster.kill_primary()
    assert await requests_left(store) is None
    await eventually_async("the replica is the primary", lambda: cluster.primary() is not killed)
    await until(store, "StoreInUse")
    assert await requests_left(store) is not None


async def test_a_server_that_is_well_is_looked_at_by_the_connections_that_are_there(
    server: StoreServer, open_store: OpenShared
) -> None:
    asked = 0

    def looks() -> int:
        """Sections of INFO that others have asked for."""
        nonlocal asked
        asked += 1
        return server.ask("INFO", "commandstats").get("cmdstat_info", {"calls": 0})["calls"] - asked

    waits = [30.0]
    before = server.ask("INFO", "stats")["total_connections_received"]
    store = open_store(server.url, waits=waits)
    await until(store, "StoreInUse")
    for _ in range(4):
        known, waits[:] = looks(), [0.0]
        assert await requests_left(store) is None, "late, so that the store is looked at"
        waits[:] = [30.0]
        await eventually_async("it was", lambda known=known: looks() >= known + 4)
        assert await requests_left(store) is not None
    after = server.ask("INFO", "stats")["total_connections_received"]
    assert after - before - asked - 1 <= MAX_CONNECTIONS + 1, "one more, that found where the keys are"


async def test_sentinels_that_do_not_answer_are_named() -> None:
    url = StoreUrl.parse("redis+sentinel://127.0.0.1:1/speech")
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:1 says ConnectionError; see whether the sentinels run"):
        await located(url, None, KEY)
