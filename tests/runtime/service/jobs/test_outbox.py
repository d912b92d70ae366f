"""What every outbox must do, whatever keeps it: the event of a job's end is there with that end, until it arrived."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from tests.runtime.service.jobs.conftest import KEEP_SECONDS, LEASE_SECONDS, HandClock, OpenStore, audio, draft
from whisper_runtime.service.jobs.job import MAX_ATTEMPTS, Job, JobError, JobLeaseLost
from whisper_runtime.service.jobs.outbox import CLAIM_SECONDS, Delivery, DeliveryOutbox
from whisper_runtime.service.jobs.store import JobStore

URL = "https://hooks.example.com/a"
ERROR: JobError = {"message": "no", "type": "server_error", "param": None, "code": None}


@pytest.fixture
def outboxes(open_store: OpenStore, open_outbox: Callable[[], DeliveryOutbox]) -> list[DeliveryOutbox]:
    """Of two processes."""
    open_store()
    return [open_outbox() for _ in range(2)]


@pytest.fixture
def outbox(store: JobStore, outboxes: list[DeliveryOutbox]) -> DeliveryOutbox:
    return outboxes[0]


async def queued(store: JobStore, client: str = "key ann", url: str | None = URL) -> Job:
    return await store.put(draft(client, webhook_url=url), audio())


async def completed(store: JobStore, client: str = "key ann", url: str | None = URL) -> Job:
    job = await queued(store, client, url)
    claimed = await store.claim()
    assert claimed is not None
    await store.finish(claimed.lease, b"text")
    return job


async def due(outbox: DeliveryOutbox, *busy: str) -> Delivery:
    found = await outbox.claim(busy)
    assert found is not None
    return found


async def test_a_job_that_has_not_ended_has_no_event(store: JobStore, outbox: DeliveryOutbox) -> None:
    job = await queued(store)
    claimed = await store.claim()
    assert claimed is not None
    await store.hand_back(claimed.lease)
    assert (await outbox.claim(()), await outbox.latest(job.id)) == (None, None)


async def test_a_job_that_asked_for_none_has_no_event(store: JobStore, outbox: DeliveryOutbox) -> None:
    job = await completed(store, url=None)
    assert (await outbox.claim(()), await outbox.latest(job.id)) == (None, None)


async def test_a_completed_job_has_one_event(store: JobStore, outbox: DeliveryOutbox, clock: HandClock) -> None:
    job = await completed(store)
    found = await due(outbox)
    assert (found.job_id, found.client, found.type, found.url) == (job.id, "key ann", "transcription.completed", URL)
    assert (found.created, found.attempt, found.state, found.failure) == (clock.now, 1, "pending", None)
    assert found.event_id.startswith("evt_")
    assert len(found.event_id) == 36
    assert await outbox.claim(()) is None


async def test_each_end_of_a_job_is_an_event_of_its_own(
    store: JobStore, outbox: DeliveryOutbox, clock: HandClock
) -> None:
    cancelled = await queued(store)
    await store.cancel("key ann", cancelled.id)
    await store.cancel("key ann", cancelled.id)
    failed, abandoned = await queued(store), await queued(store)
    claimed = await store.claim()
    assert claimed is not None
    await store.fail(claimed.lease, ERROR)
    for _ in range(MAX_ATTEMPTS):
        claimed = await store.claim()
        assert claimed is not None
        await store.retry(claimed.lease, ERROR)
    expired = await completed(store)
    events = {found.job_id: found.type async for found in drained(outbox)}
    assert events == {
        cancelled.id: "transcription.cancelled",
        failed.id: "transcription.failed",
        abandoned.id: "transcription.failed",
        expired.id: "transcription.completed",
    }
    ended = clock.now
    clock.now += KEEP_SECONDS + 5
    await store.expire()
    found = await due(outbox)
    assert (found.job_id, found.type, found.created) == (expired.id, "transcription.expired", ended + KEEP_SECONDS)
    assert await outbox.claim(()) is None


async def drained(outbox: DeliveryOutbox) -> AsyncIterator[Delivery]:
    while found := await outbox.claim(()):
        await outbox.delivered(found)
        yield found


async def test_a_job_whose_server_dies_too_often_has_an_event(
    store: JobStore, outbox: DeliveryOutbox, clock: HandClock
) -> None:
    job = await queued(store)
    for _ in range(MAX_ATTEMPTS):
        assert await store.claim() is not None
        clock.now += LEASE_SECONDS + 1
    assert await store.claim() is None
    assert [(one.job_id, one.type) async for one in drained(outbox)] == [(job.id, "transcription.failed")]


async def test_a_worker_that_lost_its_job_causes_no_event(
    store: JobStore, outbox: DeliveryOutbox, clock: HandClock
) -> None:
    await queued(store)
    first = await store.claim()
    clock.now += LEASE_SECONDS + 1
    second = await store.claim()
    assert first is not None
    assert second is not None
    await store.finish(second.lease, b"text")
    with pytest.raises(JobLeaseLost):
        await store.finish(first.lease, b"other")
    assert len([one async for one in drained(outbox)]) == 1


async def test_an_event_is_claimed_by_one_process_until_that_is_over(
    store: JobStore, outboxes: list[DeliveryOutbox], clock: HandClock
) -> None:
    one, other = outboxes
    await completed(store)
    first = await due(one)
    assert await other.claim(()) is None
    clock.now += CLAIM_SECONDS
    again = await due(other)
    assert (again.event_id, again.attempt) == (first.event_id, 2)
    await one.abandon(first, "its process slept")
    found = await one.latest(first.job_id)
    assert found is not None
    assert (found.state, found.failure) == ("pending", None)
    await other.delivered(again)
    clock.now += 10 * CLAIM_SECONDS
    assert await one.claim(()) is None


async def test_a_failure_is_kept_and_the_event_is_due_again_later(
    store: JobStore, outbox: DeliveryOutbox, clock: HandClock
) -> None:
    job = await completed(store)
    first = await due(outbox)
    await outbox.postpone(first, "`webhook_url` answered 500.", 90)
    found = await outbox.latest(job.id)
    assert found is not None
    assert (found.state, found.failure, found.due) == ("pending", "`webhook_url` answered 500.", clock.now + 90)
    clock.now += 89
    assert await outbox.claim(()) is None
    clock.now += 1
    second = await due(outbox)
    assert (second.event_id, second.attempt, second.failure) == (first.event_id, 2, "`webhook_url` answered 500.")
    await outbox.delivered(second)
    found = await outbox.latest(job.id)
    assert found is not None
    assert (found.state, found.attempt, found.failure) == ("delivered", 2, None)


async def test_an_abandoned_event_stays_to_be_seen(store: JobStore, outbox: DeliveryOutbox, clock: HandClock) -> None:
    job = await completed(store)
    await outbox.abandon(await due(outbox), "`webhook_url` answered 410.")
    clock.now += 1000
    assert await outbox.claim(()) is None
    found = await outbox.latest(job.id)
    assert found is not None
    assert (found.state, found.failure) == ("abandoned", "`webhook_url` answered 410.")


async def test_events_of_clients_who_are_busy_let_others_pass(
    store: JobStore, outbox: DeliveryOutbox, clock: HandClock
) -> None:
    for client in ("key ann", "key ann", "key bob"):
        await completed(store, client)
        clock.now += 1
    assert (await due(outbox, "key ann")).client == "key bob"
    assert await outbox.claim(("key ann", "key bob")) is None
    assert (await due(outbox)).client == "key ann"


async def test_a_deleted_job_has_no_event_any_more(store: JobStore, outbox: DeliveryOutbox, clock: HandClock) -> None:
    waiting, claimed = await completed(store), await completed(store)
    first = await due(outbox)
    for job in (waiting, claimed):
        await store.delete("key ann", job.id)
    await outbox.postpone(first, "it answered 500", 1)
    clock.now += CLAIM_SECONDS
    assert await outbox.claim(()) is None
    assert await outbox.latest(waiting.id) is None


async def test_a_forgotten_job_has_no_event_any_more(store: JobStore, outbox: DeliveryOutbox, clock: HandClock) -> None:
    job = await queued(store)
    await store.cancel("key ann", job.id)
    clock.now += KEEP_SECONDS + 1
    await store.expire()
    assert (await outbox.claim(()), await outbox.latest(job.id)) == (None, None)
