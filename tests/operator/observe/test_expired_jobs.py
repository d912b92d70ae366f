"""A Job that its time to live has ended is known as it ended, for as long as its service is there."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.api.v1alpha1 import API_VERSION, KIND, Manifest
from whisper_operator.objects.kinds import JOB
from whisper_operator.observe.cache import DELETED, ObjectCache
from whisper_operator.observe.expired_jobs import as_it_ended
from whisper_operator.observe.facts import Facts

KEY = ("team", "speech")
ENDED = "2026-11-30T10:00:00Z"


def service(version: int = 1) -> Manifest:
    metadata = {"name": "speech", "namespace": "team", "uid": "service", "resourceVersion": str(version)}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": {}}


def job(version: int, lives: int | None = 30, ended: str = "Complete", **more: Any) -> Manifest:
    owner = {"kind": KIND, "name": "speech", "uid": "service", "controller": True}
    metadata = {"name": "fetch", "namespace": "team", "uid": "job", "resourceVersion": str(version), **more}
    return {
        "kind": "Job",
        "metadata": {**metadata, "ownerReferences": [owner]},
        "spec": {} if lives is None else {"ttlSecondsAfterFinished": lives},
        "status": {"conditions": [{"type": ended, "status": "True", "lastTransitionTime": ENDED}]},
    }


def deleted(version: int, at: str = "2026-11-30T10:00:30Z", **of_job: Any) -> Manifest:
    return job(version, deletionTimestamp=at, finalizers=["foregroundDeletion"], **of_job)


@pytest.mark.parametrize("ended", ["Complete", "Failed"])
def test_a_job_whose_time_is_up_is_as_it_ended(ended: str) -> None:
    assert as_it_ended(deleted(2, ended=ended)) == job(2, ended=ended)


@pytest.mark.parametrize(
    "body",
    [
        job(2),
        deleted(2, at="2026-11-30T10:00:29Z"),
        deleted(2, lives=None),
        deleted(2, ended="Suspended"),
        {**deleted(2), "kind": "Pod"},
    ],
    ids=["not deleted", "deleted before its time", "no time to live", "not ended", "no Job"],
)
def test_no_other_object_is(body: Manifest) -> None:
    assert as_it_ended(body) is None


def there(cache: ObjectCache) -> bool:
    return ("Job", "fetch") in cache.observed(KEY, Facts()).objects


def expired() -> ObjectCache:
    """Given a service whose Job has ended, and expired."""
    cache = ObjectCache(whole_cluster=True)
    for body, event in ((service(), "ADDED"), (job(2), "ADDED"), (deleted(3), "MODIFIED"), (deleted(4), DELETED)):
        cache.observe(body, event)
    return cache


def test_a_job_that_expired_is_there_whatever_lists_say() -> None:
    cache = expired()
    assert there(cache)
    assert not cache.lost(KEY)
    assert cache.delete_absent(JOB, None, [], version=9) == set()
    assert there(cache)
    assert cache.observe(job(2)) == set(), "a late answer"


def test_a_job_that_expired_makes_way_for_another_and_goes_where_it_is_not_wanted() -> None:
    cache = expired()
    cache.delete(KEY, cache.observed(KEY, Facts()).objects["Job", "fetch"])
    assert not there(cache)
    cache = expired()
    successor = job(7)
    successor["metadata"]["uid"] = "another"
    assert cache.observe(successor, "ADDED") == {KEY}
    assert cache.newest(successor) == successor


def test_what_expired_goes_with_its_service() -> None:
    cache = expired()
    cache.observe(service(5), DELETED)
    assert not there(cache)
    cache.observe(deleted(6), DELETED)
    assert not there(cache), "nor is it kept after it"


def test_a_job_that_somebody_deleted_is_gone() -> None:
    cache = ObjectCache(whole_cluster=True)
    for body, event in ((service(), "ADDED"), (job(2), "ADDED"), (job(3), DELETED)):
        cache.observe(body, event)
    assert not there(cache)
