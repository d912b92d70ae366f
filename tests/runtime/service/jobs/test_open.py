"""A directory that cannot keep jobs is found at the start, with the setting and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.jobs import FAKE_CODEC, fake_jobs
from tests.fakes.parts import fake_parts
from tests.runtime.service.jobs.conftest import Servers, audio, draft
from whisper_runtime.service.jobs.job import JobStatistics
from whisper_runtime.service.jobs.open import open_jobs
from whisper_runtime.service.jobs.store import CannotKeepJobs


@pytest.mark.parametrize("kind", ["a file", "another store"])
def test_what_keeps_no_jobs_is_named(tmp_path: Path, kind: str) -> None:
    directory = tmp_path / "jobs"
    if kind == "a file":
        directory.write_text("")
    else:
        directory.mkdir()
        (directory / "jobs.sqlite3").write_text("this is no database, but a text that is long enough to be read")
    with pytest.raises(CannotKeepJobs, match=f"WHISPER_JOBS_DIR is {directory}.*mount a writable volume"):
        open_jobs(str(directory), fake_parts(FakeEngine()), FAKE_CODEC)


async def test_the_metrics_of_a_process_that_keeps_jobs_have_them(tmp_path: Path) -> None:
    parts = fake_parts(FakeEngine())
    door = fake_jobs(parts, tmp_path)

    def value(name: str, **labels: str) -> float | None:
        return parts.metrics.registry.get_sample_value(name, labels)

    assert value("whisper_jobs", state="queued") == 0
    assert value("whisper_jobs_store_limit_bytes") == parts.config.jobs_max_bytes
    door.worker.statistics = JobStatistics({"queued": 2}, 90.0, oldest_created=1.0)
    assert value("whisper_jobs", state="queued") == 2
    door.worker.progress_seconds = 7.0
    assert value("whisper_job_progress_seconds_total") == 7
    await door.close()


async def test_jobs_in_the_shared_store_need_no_directory(store_servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(store_servers("valkey").url)
    of_store: dict[str, Any] = {"jobs_store": "redis", "redis_url_file": str(tmp_path / "url")}
    parts = fake_parts(FakeEngine(), **of_store)
    one, other = (open_jobs(None, each, FAKE_CODEC) for each in (parts, fake_parts(FakeEngine(), **of_store)))
    job = await one.store.put(draft(), audio())
    assert await other.store.get("key ann", job.id) == job
    assert await other.outbox.latest(job.id) is None
    for door in (one, other):
        await door.close()
