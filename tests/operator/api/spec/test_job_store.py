"""Recordings that are transcribed in the background, and the volume that keeps them."""

from __future__ import annotations

import pytest

from tests.operator.api.specs import accepted, assert_choices, manifest, refused
from whisper_operator.api.spec.job_store import JobsSpec
from whisper_operator.api.v1alpha1 import Manifest

REDIS = {"secretKeyRef": {"name": "valkey", "key": "url"}}


def test_jobs_are_kept_on_a_claim_that_stays_unless_the_spec_says_otherwise() -> None:
    assert manifest(JobsSpec()) == {
        "resultTTL": "24h",
        "maxQueuedAudioPerClient": None,
        "storage": {
            "type": "PersistentVolumeClaim",
            "s3": None,
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
    kinds = "'PersistentVolumeClaim', 'EmptyDir', 'Redis' or 'S3'"
    assert refused(jobs={"storage": {"type": "Disk"}}) == f"spec.jobs.storage.type: Input should be {kinds}"
    assert_choices("jobs.storage.retention", "Retain", "Delete")


@pytest.mark.parametrize(
    "storage", [{"type": "Redis"}, {"type": "S3", "s3": {"bucket": "speech"}}, {"accessMode": "ReadWriteMany"}]
)
def test_what_several_pods_share_needs_a_store_that_has_the_order(storage: Manifest) -> None:
    accepted(jobs={"storage": storage}, redis=REDIS, replicas=3)
    assert refused(jobs={"storage": storage}).endswith("a store that has the jobs' order: name it in spec.redis")


def test_a_claim_that_is_there_may_be_said_to_be_of_many_nodes() -> None:
    accepted(jobs={"storage": {"existingClaim": "mine", "accessMode": "ReadWriteMany"}}, redis=REDIS, replicas=3)
    accepted(jobs={"storage": {"accessMode": "ReadWriteOnce"}}, redis=REDIS)


def test_a_bucket_is_named_where_contents_are_in_one() -> None:
    for storage in ({"type": "S3"}, {"s3": {"bucket": "speech"}}):
        assert refused(jobs={"storage": storage}, redis=REDIS).endswith("write both, or neither")


@pytest.mark.parametrize(
    "wrong",
    [{"bucket": "Speech"}, {"bucket": "speech", "prefix": "/a"}, {"bucket": "speech", "endpoint": "minio:9000"}],
    ids=str,
)
def test_a_bucket_that_cannot_be_is_refused(wrong: Manifest) -> None:
    assert "is not a valid" in refused(jobs={"storage": {"type": "S3", "s3": wrong}}, redis=REDIS)


@pytest.mark.parametrize("field", ["resultTTL", "maxQueuedAudioPerClient", "storage.size"])
def test_times_and_sizes_have_a_unit(field: str) -> None:
    name, _, inner = field.partition(".")
    assert refused(jobs={name: {inner: "many"} if inner else "many"}).startswith(f"spec.jobs.{field}: ")
