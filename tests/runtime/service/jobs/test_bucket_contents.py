"""What is small stays beside its job; else it is an object, and a bucket that is away loses nothing of a job."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from testbed.s3_server import REGION, S3Server, running
from tests.runtime.service.jobs.conftest import KEEP_SECONDS, MAX_BYTES, HandClock, Servers, draft, shared_verbs
from whisper_runtime.service.jobs.bucket_contents import SMALL_BYTES, BucketContents
from whisper_runtime.service.jobs.job import JobStoreAway
from whisper_runtime.service.jobs.shared_store import SharedJobStore
from whisper_runtime.service.shared.object_bucket import ObjectBucket, ObjectPlace

ANN = "key ann"
LARGE = bytes(SMALL_BYTES + 1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    with running(tmp_path / "s3", ["speech"]) as found:
        yield found


@pytest.fixture
def bucket(server: S3Server, tmp_path: Path) -> ObjectBucket:
    return ObjectBucket(ObjectPlace("speech", "team/a/", REGION, server.endpoint, server.secret(tmp_path / "secret")))


@pytest.fixture
async def store(
    bucket: ObjectBucket, store_servers: Servers, url_file: Path, clock: HandClock
) -> AsyncIterator[SharedJobStore]:
    url_file.write_text(store_servers("valkey").url)
    verbs = shared_verbs(url_file, clock, MAX_BYTES, None)
    store = SharedJobStore(verbs, BucketContents(bucket), keep_seconds=KEEP_SECONDS)
    yield store
    await store.close()


async def names(bucket: ObjectBucket) -> set[str]:
    return await bucket.unchanged_for(0)


async def test_what_is_small_stays_beside_its_job_and_what_is_not_is_an_object(
    store: SharedJobStore, bucket: ObjectBucket
) -> None:
    await store.put(draft(), io.BytesIO(LARGE[1:]))
    assert await names(bucket) == set()
    large = await store.put(draft(), io.BytesIO(LARGE))
    assert await names(bucket) == {f"{large.id}.audio"}
    for content in (LARGE[1:], LARGE):
        claimed = await store.claim()
        assert claimed is not None
        with await store.audio(claimed.lease) as audio:
            assert audio.read() == content
            assert audio.fileno() > 0  # ffmpeg reads it
        await store.finish(claimed.lease, b"words" if content is LARGE else LARGE)
    assert await names(bucket) == {next(iter(await names(bucket)))}  # the first one's result
    assert await store.result(ANN, large.id) == b"words"


async def test_what_is_deleted_or_has_expired_leaves_no_object(
    store: SharedJobStore, bucket: ObjectBucket, clock: HandClock
) -> None:
    jobs = [await store.put(draft(), io.BytesIO(LARGE)) for _ in range(3)]
    await store.cancel(ANN, jobs[2].id)
    for _ in jobs[:2]:
        claimed = await store.claim()
        assert claimed is not None
        await store.finish(claimed.lease, LARGE)
    assert await names(bucket) == {f"{job.id}.1.json" for job in jobs[:2]}
    await store.delete(ANN, jobs[0].id)
    clock.now += KEEP_SECONDS
    await store.expire()
    assert await names(bucket) == set()


async def test_an_object_that_no_job_needs_is_deleted_once_it_is_old(
    store: SharedJobStore, bucket: ObjectBucket
) -> None:
    job = await store.put(draft(), io.BytesIO(LARGE))
    for name in ("tr_a.audio", "file-a.file", f"{job.id}.1.json"):
        await bucket.write(name, io.BytesIO(b"of a pod that was killed"))
    await store.sweep(0)
    assert await names(bucket) == {f"{job.id}.audio"}


async def test_while_the_bucket_is_away_no_job_is_taken_and_those_that_are_there_wait(
    store: SharedJobStore, server: S3Server
) -> None:
    job = await store.put(draft(), io.BytesIO(LARGE))
    claimed = await store.claim()
    assert claimed is not None
    server.kill()
    with pytest.raises(JobStoreAway, match="s3://speech/team/a/"):
        await store.put(draft(), io.BytesIO(LARGE))
    with pytest.raises(JobStoreAway):
        await store.audio(claimed.lease)
    await store.hand_back(claimed.lease)
    assert (await store.get(ANN, job.id)).state == "queued"
    assert (await store.statistics()).jobs["queued"] == 1
    await asyncio.to_thread(server.start)
    again = await store.claim()
    assert again is not None
    with await store.audio(again.lease) as audio:
        assert audio.read() == LARGE
    await store.finish(again.lease, b"words")


async def test_a_job_that_ends_while_the_bucket_is_away_ends(
    store: SharedJobStore, bucket: ObjectBucket, server: S3Server
) -> None:
    """Its recording is deleted when what is old is looked at."""
    job = await store.put(draft(), io.BytesIO(LARGE))
    claimed = await store.claim()
    assert claimed is not None
    server.kill()
    await store.finish(claimed.lease, b"words")
    assert await store.result(ANN, job.id) == b"words"
    await asyncio.to_thread(server.start)
    await store.sweep(0)
    assert await names(bucket) == set()
