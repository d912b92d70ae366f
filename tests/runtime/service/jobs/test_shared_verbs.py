"""What the program of a shared store answers is a job, nothing, or the refusal that every store of jobs raises."""

from __future__ import annotations

from typing import Any, cast

import pytest

from whisper_runtime.service.jobs.job import (
    Job,
    JobGone,
    JobLeaseLost,
    JobNotDone,
    JobQuotaReached,
    JobStoreAway,
    JobStoreFull,
    KeyReused,
    NoSuchJob,
)
from whisper_runtime.service.jobs.shared_verbs import SharedVerbs, job_of
from whisper_runtime.service.shared.program_call import ProgramCall
from whisper_runtime.service.shared.store_caller import StoreAway, StoreCaller, StoreMemoryFull

HASH = [
    *(b"client", b"key ann", b"request", b"{}", b"audio_seconds", b"10.5", b"metadata", b'{"a":"b"}'),
    *(b"id", b"job_1", b"state", b"queued", b"created", b"7.5", b"attempt", b"2"),
]


class PlannedCaller:
    """Answers a call with what is planned, or raises it."""

    def __init__(self, planned: list[Any] | Exception) -> None:
        self.planned = planned
        self.calls: list[ProgramCall] = []

    async def call(self, call: ProgramCall, *, is_kept: bool) -> list[Any]:
        self.calls.append(call)
        if isinstance(self.planned, Exception):
            raise self.planned
        return self.planned


def verbs(planned: list[Any] | Exception) -> SharedVerbs:
    caller = cast(StoreCaller, PlannedCaller(planned))
    return SharedVerbs(caller, "team/a", max_bytes=100, max_queued_seconds=60.0)


async def test_what_stands_behind_ok_is_the_answer() -> None:
    assert await verbs([b"ok", b"1", b"2"]).call("count") == [b"1", b"2"]
    assert await verbs([b"none"]).call("claim") == []


async def test_numbers_are_sent_so_that_none_of_their_digits_is_lost() -> None:
    caller = PlannedCaller([b"ok"])
    await SharedVerbs(cast(StoreCaller, caller), "team/a", max_bytes=1, max_queued_seconds=None).call("put", 0.1 + 0.2)
    assert caller.calls[0].arguments[-1] == "0.30000000000000004"


@pytest.mark.parametrize(
    ("outcome", "raised", "text"),
    [
        ([b"no_such_job"], NoSuchJob, "job_1"),
        ([b"gone"], JobGone, "deleted"),
        ([b"expired"], JobGone, "expired"),
        ([b"not_done", b"in_progress"], JobNotDone, "in_progress"),
        ([b"lease_lost"], JobLeaseLost, "not this worker's"),
        ([b"key_reused", HASH], KeyReused, "job_1"),
        ([b"full", b"20"], JobStoreFull, "100"),
        ([b"share_full", b"20"], JobStoreFull, "100"),
        ([b"quota", b"50", b"30"], JobQuotaReached, "50 s of audio, and may have 60 s"),
        ([b"what"], AssertionError, "what"),
        (StoreAway("the store does not answer"), JobStoreAway, "does not answer"),
        (StoreMemoryFull("OOM"), JobStoreFull, "no memory left"),
    ],
    ids=str,
)
async def test_a_refusal_is_that_of_every_store(
    outcome: list[Any] | Exception, raised: type[Exception], text: str
) -> None:
    with pytest.raises(raised, match=text):
        await verbs(outcome).call("get", "client", "job_1")


async def test_a_quota_says_how_many_seconds_must_go_first() -> None:
    with pytest.raises(JobQuotaReached) as found:
        await verbs([b"quota", b"50", b"30"]).call("put")
    assert found.value.excess == 20.0


def test_a_hash_is_a_job_and_what_it_lacks_has_its_default() -> None:
    assert job_of(HASH) == Job("key ann", "{}", 10.5, {"a": "b"}, id="job_1", created=7.5, attempt=2)
