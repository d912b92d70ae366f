"""What jobs in a shared store have beyond other stores: a store that is away or full, and files that nobody needs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from testbed.store_server import StoreServer
from tests.runtime.service.jobs.conftest import KEEP_SECONDS, MAX_BYTES, HandClock, Servers, audio, draft, shared_verbs
from whisper_runtime.service.jobs.files import StoredFiles
from whisper_runtime.service.jobs.job import JobLeaseLost, JobStoreAway, JobStoreFull, NoSuchJob
from whisper_runtime.service.jobs.kept_contents import BesideJobs, KeptContents, SharedFiles
from whisper_runtime.service.jobs.shared_store import SharedJobStore

ANN = "key ann"


@pytest.fixture(params=["valkey", "redis"])
def server(request: pytest.FixtureRequest, store_servers: Servers, url_file: Path) -> StoreServer:
    found = store_servers(request.param)
    url_file.write_text(found.url)
    return found


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "jobs" / "files"


OpenSharedJobs = Callable[[KeptContents], SharedJobStore]


@pytest.fixture
async def open_shared(server: StoreServer, url_file: Path, clock: HandClock) -> AsyncIterator[OpenSharedJobs]:
    opened: list[SharedJobStore] = []

    def open_one(contents: KeptContents) -> SharedJobStore:
        store = SharedJobStore(shared_verbs(url_file, clock, MAX_BYTES, None), contents, keep_seconds=KEEP_SECONDS)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


async def test_jobs_that_are_forgotten_leave_nothing_but_the_count(
    open_shared: OpenSharedJobs, server: StoreServer, clock: HandClock
) -> None:
    store = open_shared(BesideJobs())
    url = "https://hooks.example.com/a"
    jobs = [await store.put(draft(idempotency_key=str(n), webhook_url=url), audio()) for n in range(4)]
    for verb in (store.finish, store.retry, store.fail):
        claimed = await store.claim()
        assert claimed is not None
        await verb(claimed.lease, b"words" if verb == store.finish else {"code": "a"})  # type: ignore[operator]
    await store.cancel(ANN, jobs[3].id)
    for job in jobs:
        await store.delete(ANN, job.id)
    clock.now += KEEP_SECONDS
    await store.expire()
    left = {key.decode().rpartition("}:")[2] for key in server.ask("KEYS", "*")}
    assert left <= {"jobs:last", "jobs:turn", "jobs:totals"}
    assert (await store.statistics()).used_bytes == 0


async def test_no_key_of_a_job_ends_by_itself(open_shared: OpenSharedJobs, server: StoreServer) -> None:
    """What ends by itself is what a store with the policy volatile-lru throws away first."""
    store = open_shared(BesideJobs())
    await store.put(draft(webhook_url="https://hooks.example.com/a"), audio())
    claimed = await store.claim()
    assert claimed is not None
    await store.finish(claimed.lease, b"words")
    assert {server.ask("TTL", key) for key in server.ask("KEYS", "*")} == {-1}


async def test_a_store_that_is_away_is_so_said_and_used_again_once_it_is_back(
    open_shared: OpenSharedJobs, server: StoreServer, url_file: Path
) -> None:
    store = open_shared(BesideJobs())
    url_file.write_text("redis://127.0.0.1:1")
    with pytest.raises(JobStoreAway):
        await store.put(draft(), audio())
    url_file.write_text("no URL")
    with pytest.raises(JobStoreAway):
        await store.claim()
    url_file.unlink()
    with pytest.raises(JobStoreAway):
        await store.statistics()
    url_file.write_text(server.url)
    await store.put(draft(), audio())


async def test_the_file_of_a_job_that_may_be_there_stays(
    open_shared: OpenSharedJobs, url_file: Path, files: Path
) -> None:
    store = open_shared(SharedFiles(StoredFiles(files)))
    url_file.write_text("redis://127.0.0.1:1")
    with pytest.raises(JobStoreAway):
        await store.put(draft(), audio())
    assert len(list(files.iterdir())) == 1


async def test_a_store_without_memory_takes_no_job_and_ends_those_that_it_has(
    open_shared: OpenSharedJobs, server: StoreServer
) -> None:
    store = open_shared(BesideJobs())
    job = await store.put(draft(), audio())
    server.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        with pytest.raises(JobStoreFull, match="no memory left"):
            await store.put(draft(), audio())
        claimed = await store.claim()
        assert claimed is not None
        await store.finish(claimed.lease, b"words")
        assert await store.result(ANN, job.id) == b"words"
    finally:
        server.ask("CONFIG", "SET", "maxmemory", "0")
    assert (await store.statistics()).jobs["queued"] == 0


async def test_files_that_no_job_needs_are_deleted_once_they_are_old(open_shared: OpenSharedJobs, files: Path) -> None:
    store = open_shared(SharedFiles(StoredFiles(files)))
    queued, done = await store.put(draft(), audio()), None
    claimed = await store.claim()
    assert claimed is not None
    await store.finish(claimed.lease, b"words")
    done, queued = queued, await store.put(draft(), audio())
    needed = {f"{queued.id}.audio", f"{done.id}.1.json"}
    for name in ("tr_a.audio", f"{done.id}.audio", f"{queued.id}.1.json", "tr_b.audio.new"):
        (files / name).write_bytes(b"of a process that was killed")
    for file in files.iterdir():
        os.utime(file, (1, 1))
    (files / "tr_c.audio").write_bytes(b"of a put that goes on")
    await store.expire()
    assert {file.name for file in files.iterdir()} == {*needed, "tr_c.audio"}


async def test_a_job_whose_file_is_missing_fails(open_shared: OpenSharedJobs, files: Path) -> None:
    store = open_shared(SharedFiles(StoredFiles(files)))
    job = await store.put(draft(), audio())
    (files / f"{job.id}.audio").unlink()
    claimed = await store.claim()
    assert claimed is not None
    with pytest.raises(JobLeaseLost):
        await store.audio(claimed.lease)
    failed = await store.get(ANN, job.id)
    assert failed.error is not None
    assert (failed.state, failed.error["code"]) == ("failed", "job_file_lost")


async def test_another_service_has_other_jobs(open_shared: OpenSharedJobs, url_file: Path, clock: HandClock) -> None:
    store = open_shared(BesideJobs())
    job = await store.put(draft(), audio())
    verbs = shared_verbs(url_file, clock, MAX_BYTES, None, prefix="team/b")
    other = SharedJobStore(verbs, BesideJobs(), keep_seconds=KEEP_SECONDS)
    assert await other.claim() is None
    with pytest.raises(NoSuchJob):
        await other.get(ANN, job.id)
    await other.close()


async def test_what_a_store_has_thrown_away_keeps_nothing_else_back(
    open_shared: OpenSharedJobs, server: StoreServer, clock: HandClock
) -> None:
    """One that evicts is reported, and loses those jobs; the others go on."""
    store = open_shared(BesideJobs())
    url = "https://hooks.example.com/a"
    jobs = [await store.put(draft(idempotency_key=str(n), webhook_url=url), audio()) for n in range(4)]
    held = await store.claim()
    await store.cancel(ANN, jobs[1].id)
    assert held is not None
    for job in jobs[:3]:
        server.ask("DEL", f"whisper:{{team/a}}:job:{job.id}")
    clock.now += KEEP_SECONDS
    await store.expire()
    found = await store.claim()
    assert found is not None
    assert found.job.id == jobs[3].id
    assert [job.id for job in (await store.page(ANN, after=None, limit=10, state=None)).jobs] == [jobs[3].id]
    again = await store.put(draft(idempotency_key="0", webhook_url=url), audio())
    assert again.id != jobs[0].id


async def test_jobs_that_a_store_has_lost_are_noticed_once(
    server: StoreServer, url_file: Path, clock: HandClock
) -> None:
    lost: list[int] = []
    verbs = shared_verbs(url_file, clock, MAX_BYTES, None)
    store = SharedJobStore(verbs, BesideJobs(), keep_seconds=KEEP_SECONDS, on_lost=lost.append)
    for _ in range(3):
        await store.put(draft(), audio())
    await store.statistics()
    assert lost == []
    server.ask("FLUSHALL")  # as a restart without appendonly
    await store.put(draft(), audio())
    await store.statistics()
    await store.statistics()
    assert lost == [2]
    await store.close()
