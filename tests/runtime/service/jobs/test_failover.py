"""The primary of the store is killed: what clients were told is kept, by sentinels and by clusters of both servers."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from testbed.sentinels import WatchedStore, watched
from testbed.store_cluster import StoreCluster, clustered
from testbed.store_server import StoreProgram
from tests.runtime.service.jobs.conftest import AUDIO, KEEP_SECONDS, draft
from tests.support.waiting import eventually_async
from whisper_runtime.service.jobs.files import StoredFiles
from whisper_runtime.service.jobs.job import LOST, JobGone, JobLease, JobStoreAway, JobStoreFull
from whisper_runtime.service.jobs.kept_contents import BesideJobs, SharedFiles
from whisper_runtime.service.jobs.rows import audio_name
from whisper_runtime.service.jobs.shared_store import SharedJobStore
from whisper_runtime.service.jobs.shared_verbs import SharedVerbs
from whisper_runtime.service.shared.program_call import service_key
from whisper_runtime.service.shared.store_caller import StoreCaller

pytestmark = pytest.mark.slow
ANN = "key ann"
PREFIX = "team/a"
ReplicatedServers = WatchedStore | StoreCluster
CLIENTS = 4


@pytest.fixture(
    params=[(how, program) for how in ("sentinels", "cluster") for program in ("valkey", "redis")], ids=" ".join
)
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReplicatedServers]:
    how: str
    program: StoreProgram
    how, program = request.param
    with (
        watched(program, tmp_path / "store")
        if how == "sentinels"
        else clustered(program, tmp_path / "store", service_key(PREFIX, "jobs"))
    ) as found:
        yield found


@pytest.fixture
async def store(servers: ReplicatedServers, tmp_path: Path) -> AsyncIterator[SharedJobStore]:
    (tmp_path / "url").write_text(servers.url)
    caller = StoreCaller(str(tmp_path / "url"), None)
    verbs = SharedVerbs(caller, PREFIX, max_bytes=10_000_000, max_queued_seconds=None)
    store = SharedJobStore(verbs, BesideJobs(), keep_seconds=KEEP_SECONDS)
    yield store
    await store.close()


async def test_what_a_client_was_told_is_kept_over_two_failovers(
    store: SharedJobStore, servers: ReplicatedServers
) -> None:
    accepted: set[str] = set()
    is_over = asyncio.Event()

    async def client() -> None:
        while not is_over.is_set():
            try:
                accepted.add((await store.put(draft(), io.BytesIO(AUDIO))).id)
            except JobStoreAway:
                await asyncio.sleep(0.05)

    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    for _ in range(2):
        before = len(accepted)
        await eventually_async("jobs are taken", lambda before=before: len(accepted) > before + 100)
        killed = await asyncio.to_thread(servers.kill_primary)
        before = len(accepted)
        await eventually_async("another is the primary", lambda killed=killed: servers.primary() is not killed)
        await asyncio.to_thread(servers.rejoin, killed)
        await eventually_async("jobs are taken again", lambda before=before: len(accepted) > before + 10)
    is_over.set()
    await asyncio.gather(*clients)
    found = {job.id for job in await store.find(ANN, accepted)}
    assert accepted - found == set()


async def test_what_no_replica_has_is_not_accepted_when_it_is_sent_again(
    store: SharedJobStore, servers: ReplicatedServers
) -> None:
    """The primary has it from the first time: who finds it there is told that it is done, as who wrote it."""
    _, replica = servers.servers
    keyed, asked = draft(idempotency_key="k", body_digest="d"), await store.put(draft(), io.BytesIO(AUDIO))
    again: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: store.put(keyed, io.BytesIO(AUDIO)),
        lambda: store.with_key(ANN, "k", "d"),
        lambda: store.cancel(ANN, asked.id),
        lambda: store.delete(ANN, asked.id),
    )
    replica.pause()
    try:
        for told in again:
            for _ in range(2):
                with pytest.raises(JobStoreAway, match="no replica has it yet"):
                    await told()
        assert await store.made_by(ANN, ["k"], "d") != []  # for a worker, who tells nobody
    finally:
        replica.resume()
    assert (found := await store.with_key(ANN, "k", "d")) is not None
    assert found.idempotency_key == "k"


async def test_a_recording_is_kept_until_a_replica_knows_that_its_job_has_ended(
    servers: ReplicatedServers, tmp_path: Path
) -> None:
    """Else a failover that loses the end would leave a job that has to be done again, and cannot be."""
    (tmp_path / "url").write_text(servers.url)
    verbs = SharedVerbs(StoreCaller(str(tmp_path / "url"), None), PREFIX, max_bytes=10_000_000, max_queued_seconds=None)
    store = SharedJobStore(verbs, SharedFiles(StoredFiles(tmp_path / "files")), keep_seconds=KEEP_SECONDS)
    ends: tuple[Callable[[JobLease], Awaitable[None]], ...] = (
        lambda lease: store.finish(lease, b"{}"),
        lambda lease: store.fail(lease, LOST),
    )
    _, replica = servers.servers
    for end in ends:
        known, unknown = [await claimed(store) for _ in range(2)]
        audio = [tmp_path / "files" / audio_name(lease.job_id) for lease in (known, unknown)]
        await end(known)
        replica.pause()
        try:
            await end(unknown)
            assert [one.exists() for one in audio] == [False, True]
        finally:
            replica.resume()
        await eventually_async("the replica is there again", lambda: replica.ask("INFO", "replication"))
        await store.sweep(0.0)
        assert not audio[1].exists()
    await store.close()


async def claimed(store: SharedJobStore) -> JobLease:
    """A new job's lease."""
    await store.put(draft(), io.BytesIO(AUDIO))
    found = await store.claim()
    assert found is not None
    return found.lease


async def test_where_no_memory_is_left_a_deletion_is_told_that_it_is_done(
    store: SharedJobStore, servers: ReplicatedServers
) -> None:
    job = await store.put(draft(), io.BytesIO(AUDIO))
    primary = servers.primary()
    primary.ask("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(JobStoreFull):
        await store.put(draft(), io.BytesIO(AUDIO))
    await store.delete(ANN, job.id)
    with pytest.raises(JobGone):
        await store.get(ANN, job.id)


async def test_what_no_replica_has_is_not_accepted(store: SharedJobStore, servers: ReplicatedServers) -> None:
    await store.put(draft(), io.BytesIO(AUDIO))
    _, replica = servers.servers
    replica.pause()
    try:
        with pytest.raises(JobStoreAway, match="no replica has it yet"):
            await store.put(draft(), io.BytesIO(AUDIO))
    finally:
        replica.resume()
    await store.put(draft(), io.BytesIO(AUDIO))
