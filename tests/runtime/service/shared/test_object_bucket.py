"""A bucket of a real S3 server: what is written is read, what is old is found, what is wrong is said."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.s3_server import REGION, S3Server, running
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.service.shared.object_bucket import BucketAway, ObjectBucket, place_of

LARGE = os.urandom(12 * 1024**2)
"""Of which S3 has three parts."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running(tmp_path_factory.mktemp("s3"), ["speech"]) as found:
        yield found


Open = Callable[..., ObjectBucket]


@pytest.fixture
def open_bucket(server: S3Server, tmp_path: Path) -> Open:
    def opened(*, secret: dict[str, str] | None = None, **changed: Any) -> ObjectBucket:
        values: dict[str, Any] = {
            "jobs_s3_bucket": "speech",
            "jobs_s3_region": REGION,
            "jobs_s3_endpoint": server.endpoint,
            "jobs_s3_credentials_dir": server.secret(tmp_path / "secret", **(secret or {})),
            "redis_prefix": "team/dictation",
        }
        place = place_of(RuntimeConfig(**(values | changed)))
        assert place is not None
        return ObjectBucket(place)

    return opened


async def read(bucket: ObjectBucket, name: str) -> bytes:
    found = io.BytesIO()
    await bucket.read(name, found)
    return found.getvalue()


@pytest.mark.parametrize("content", [b"words", LARGE], ids=["small", "large"])
async def test_what_is_written_is_read_until_it_is_deleted(open_bucket: Open, content: bytes) -> None:
    bucket = open_bucket()
    await bucket.write("a.audio", io.BytesIO(content))
    assert await read(bucket, "a.audio") == content
    assert await bucket.unchanged_for(0) == {"a.audio"}
    assert await bucket.unchanged_for(60) == set()
    await bucket.delete(["a.audio", "b.audio"])
    with pytest.raises(FileNotFoundError):
        await read(bucket, "a.audio")
    assert await bucket.unchanged_for(0) == set()


async def test_services_that_share_a_bucket_have_objects_of_their_own(open_bucket: Open) -> None:
    one, other = open_bucket(jobs_s3_prefix="whisper/"), open_bucket(jobs_s3_prefix="whisper", redis_prefix="team/b")
    await one.write("a", io.BytesIO(b"words"))
    assert await other.unchanged_for(0) == set()
    with pytest.raises(FileNotFoundError):
        await read(other, "a")
    await one.delete(["a"])


async def test_a_bucket_that_is_as_it_must_be_has_no_problem_and_keeps_nothing_of_the_trial(open_bucket: Open) -> None:
    bucket = open_bucket()
    assert await bucket.problem() is None
    assert await bucket.unchanged_for(0) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"jobs_s3_endpoint": "http://127.0.0.1:1"},
        {"jobs_s3_bucket": "nowhere"},
        {"secret": {"AWS_SECRET_ACCESS_KEY": "sesame"}},
        {"jobs_s3_credentials_dir": "/nowhere"},
    ],
    ids=["server", "bucket", "key", "secret"],
)
async def test_what_is_wrong_is_said_with_the_place_and_a_remedy(open_bucket: Open, wrong: dict[str, Any]) -> None:
    bucket = open_bucket(**wrong)
    problem = await bucket.problem() or ""
    assert problem.startswith(f"s3://{wrong.get('jobs_s3_bucket', 'speech')}/team/dictation/ cannot be used (")
    assert "see whether its server runs" in problem
    assert "sesame" not in problem
    for call in (bucket.write("a", io.BytesIO(b"a")), bucket.unchanged_for(0), read(bucket, "a")):
        with pytest.raises(BucketAway):
            await call


async def test_a_secret_that_is_corrected_is_used_by_the_next_call(
    open_bucket: Open, server: S3Server, tmp_path: Path
) -> None:
    bucket = open_bucket(secret={"AWS_SECRET_ACCESS_KEY": "old"})
    assert await bucket.problem() is not None
    server.secret(tmp_path / "secret")
    assert await bucket.problem() is None
