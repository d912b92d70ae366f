"""A directory that cannot keep files is found at the start, with the setting and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.batches import fake_batches
from tests.fakes.engine import FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from whisper_runtime.service.jobs.store import CannotKeepJobs


async def test_what_keeps_no_files_is_named(tmp_path: Path) -> None:
    parts = fake_parts(FakeEngine())
    jobs = fake_jobs(parts, tmp_path)
    (tmp_path / "batches").write_text("")
    with pytest.raises(CannotKeepJobs, match=f"WHISPER_JOBS_DIR is {tmp_path}.*mount a writable volume"):
        fake_batches(parts, jobs, tmp_path)
    await jobs.close()


async def test_answers_are_kept_as_long_as_results(tmp_path: Path) -> None:
    parts = fake_parts(FakeEngine(), jobs_result_seconds=7200)
    jobs = fake_jobs(parts, tmp_path)
    batches = fake_batches(parts, jobs, tmp_path)
    assert batches.keep_seconds == 7200
    await batches.store.close()
    await jobs.close()
