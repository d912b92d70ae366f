"""Recordings that are transcribed in the background, and the volume that keeps them."""

from __future__ import annotations

import pytest

from tests.operator.api.specs import accepted, assert_choices, manifest, refused
from whisper_operator.api.spec.job_store import JobsSpec


def test_jobs_are_kept_on_a_claim_that_stays_unless_the_spec_says_otherwise() -> None:
    assert manifest(JobsSpec()) == {
        "resultTTL": "24h",
        "maxQueuedAudioPerClient": None,
        "storage": {
            "type": "PersistentVolumeClaim",
            "size": "auto",
            "storageClassName": None,
            "accessMode": None,
            "existingClaim": None,
            "retention": "Retain",
            "labels": {},
            "annotations": {},
        },
        "webhooks": None,
    }
    assert accepted(jobs={}).jobs == JobsSpec()
    assert accepted().jobs is None


def test_a_volume_of_jobs_has_these_kinds() -> None:
    redis = {"secretKeyRef": {"name": "valkey", "key": "url"}}
    assert_choices("jobs.storage.type", "PersistentVolumeClaim", "EmptyDir", "Redis", redis=redis)
    assert_choices("jobs.storage.retention", "Retain", "Delete")


def test_a_volume_that_many_nodes_write_to_is_refused_with_the_reason() -> None:
    accepted(jobs={"storage": {"accessMode": "ReadWriteOnce"}})
    assert refused(jobs={"storage": {"accessMode": "ReadWriteMany"}}) == (
        "spec.jobs.storage.accessMode ReadWriteMany lets pods of several nodes write, and the SQLite database of the "
        "jobs is safe among processes of one node alone: remove spec.jobs.storage.accessMode"
    )


@pytest.mark.parametrize("field", ["resultTTL", "maxQueuedAudioPerClient", "storage.size"])
def test_times_and_sizes_have_a_unit(field: str) -> None:
    name, _, inner = field.partition(".")
    assert refused(jobs={name: {inner: "many"} if inner else "many"}).startswith(f"spec.jobs.{field}: ")
