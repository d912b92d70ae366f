"""A job needs its audio until it has ended, and has an id that nobody can guess."""

from __future__ import annotations

import re

import pytest

from whisper_runtime.service.jobs.job import Job, JobState, new_job_id

ENDED: tuple[JobState, ...] = ("completed", "failed", "cancelled", "expired")


@pytest.mark.parametrize(
    ("state", "is_live"), [("queued", True), ("in_progress", True), *((one, False) for one in ENDED)]
)
def test_a_job_lives_until_it_has_ended(state: JobState, is_live: bool) -> None:
    assert Job("key ann", "{}", 1.0, state=state).is_live == is_live


def test_ids_are_random() -> None:
    ids = {new_job_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch("tr_[0-9a-f]{32}", one) for one in ids)
