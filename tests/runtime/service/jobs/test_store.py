"""What every store of jobs must do, whatever keeps it: a new backend is one more parameter of `open_store`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest

from tests.runtime.service.jobs.conftest import (
    AUDIO,
    KEEP_SECONDS,
    LEASE_SECONDS,
    HandClock,
    OpenStore,
    audio,
    draft,
)
from whisper_runtime.service.jobs.job import (
    MAX_ATTEMPTS,
    ClaimedJob,
    Job,
    JobGone,
    JobLeaseLost,
    JobNotDone,
    JobQuotaReached,
    JobsAhead,
    JobState,
    JobStoreFull,
    KeyReused,
    NoSuchJob,
)
from whisper_runtime.service.jobs.store import JobStore

ANN, BOB = "key ann", "key bob"
ERROR = {"message": "no", "type": "server_error", "param": None, "code": "out_of_memory"}
ENDED: tuple[JobState, ...] = ("completed", "failed", "cancelled")


async def claimed(store: JobStore) -> ClaimedJob:
    found = await store.claim()
    assert found is not None
    return found


async def job_in(store: JobStore, state: JobState, client: str = ANN) -> Job:
    """A job of the client in that state; the store has no other one that could be claimed."""
    job = await store.put(draft(client), audio())
    match state:
        case "queued":
            pass
        case "cancelled":
            await store.cancel(client, job.id)
        case _:
            lease = (await claimed(store)).lease
            if state == "completed":
                await store.finish(lease, b"words")
            elif state == "failed":
                await store.fail(lease, ERROR)
    return await store.get(client, job.id)


async def test_a_put_whose_task_was_cancelled_is_over_with_the_task(store: JobStore) -> None:
    """So whoever cancelled it finds the job, or there is none."""
    before = asyncio.all_tasks()
    putting = asyncio.create_task(store.put(draft(), audio()))
    await asyncio.sleep(0)
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)
    assert asyncio.all_tasks() <= before
    assert len((await store.page(ANN, after=None, limit=9, state=None)).jobs) == 1


async def test_a_job_from_its_upload_to_its_result(store: JobStore, clock: HandClock) -> None:
    job = await store.put(draft(metadata={"meeting": "7"}), audio())
    assert (job.state, job.created, job.started, job.expires) == ("queued", clock.now, None, None)
    assert await store.get(ANN, job.id) == job

    clock.now += 5
    found = await claimed(store)
    assert (found.job.state, found.job.attempt, found.job.started) == ("in_progress", 1, clock.now)
    with await store.audio(found.lease) as file:
        assert file.read() == AUDIO
    await store.renew(found.lease, 4.0)
    assert (await store.get(ANN, job.id)).done_seconds == 4.0

    clock.now += 5
    await store.finish(found.lease, b"words")
    done = await store.get(ANN, job.id)
    assert (done.state, done.done_seconds, done.ended) == ("completed", 10.0, clock.now)
    assert (done.expires, done.metadata) == (clock.now + KEEP_SECONDS, {"meeting": "7"})
    assert await store.result(ANN, job.id) == b"words"


async def test_what_was_accepted_is_there_after_a_restart(open_store: OpenStore) -> None:
    before = open_store()
    queued, running = await before.put(draft(), audio()), await before.put(draft(), audio())
    done = await before.put(draft(), audio())
    for _ in range(2):
        await before.claim()
    await before.finish((await claimed(before)).lease, b"words")
    await before.close()
    after = open_store()
    states = [(await after.get(ANN, job.id)).state for job in (queued, running, done)]
    assert states == ["in_progress", "in_progress", "completed"]
    assert await after.result(ANN, done.id) == b"words"


async def test_two_workers_never_get_the_same_job(open_store: OpenStore) -> None:
    one, other = open_store(), open_store()
    jobs = {(await one.put(draft(), audio())).id for _ in range(10)}
    found = await asyncio.gather(*(store.claim() for store in (one, other) for _ in range(10)))
    assert sorted(one.job.id for one in found if one) == sorted(jobs)


async def test_a_lease_that_is_renewed_lasts(store: JobStore, clock: HandClock) -> None:
    await store.put(draft(), audio())
    lease = (await claimed(store)).lease
    for _ in range(5):
        clock.now += LEASE_SECONDS - 1
        await store.renew(lease, 0.0)
        assert await store.claim() is None
    await store.finish(lease, b"words")


async def test_a_lease_that_runs_out_is_anothers_and_the_late_worker_can_change_nothing(
    store: JobStore, clock: HandClock
) -> None:
    job = await store.put(draft(), audio())
    late = (await claimed(store)).lease
    clock.now += LEASE_SECONDS
    found = await claimed(store)
    assert (found.job.id, found.job.attempt) == (job.id, 2)
    for verb in late_verbs(store, late):
        with pytest.raises(JobLeaseLost):
            await verb()
    await store.finish(found.lease, b"of the second")
    for verb in late_verbs(store, late):
        with pytest.raises(JobLeaseLost):
            await verb()
    assert await store.result(ANN, job.id) == b"of the second"


def late_verbs(store: JobStore, lease: Any) -> list[Callable[[], Awaitable[Any]]]:
    return [
        lambda: store.audio(lease),
        lambda: store.renew(lease, 1.0),
        lambda: store.finish(lease, b"late"),
        lambda: store.retry(lease, ERROR),
        lambda: store.fail(lease, ERROR),
        lambda: store.hand_back(lease),
    ]


async def test_a_job_that_ends_its_workers_fails_after_three_attempts(store: JobStore, clock: HandClock) -> None:
    job = await store.put(draft(), audio())
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert (await claimed(store)).job.attempt == attempt
        clock.now += LEASE_SECONDS
    assert await store.claim() is None
    failed = await store.get(ANN, job.id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error["code"] == "job_abandoned"


async def test_a_job_that_is_tried_again_fails_with_the_cause_of_its_last_attempt(store: JobStore) -> None:
    job = await store.put(draft(), audio())
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert (await store.get(ANN, job.id)).state == "queued"
        found = await claimed(store)
        assert found.job.attempt == attempt
        await store.retry(found.lease, ERROR)
    failed = await store.get(ANN, job.id)
    assert (failed.state, failed.error) == ("failed", ERROR)


async def test_a_lease_that_is_handed_back_costs_no_attempt_and_is_void(store: JobStore) -> None:
    await store.put(draft(), audio())
    late = await claimed(store)
    await store.hand_back(late.lease)
    for _ in range(MAX_ATTEMPTS):
        found = await claimed(store)
        assert found.job.attempt == 1
        await store.hand_back(found.lease)
    again = await claimed(store)
    with pytest.raises(JobLeaseLost):
        await store.finish(late.lease, b"late")
    await store.finish(again.lease, b"words")


async def test_clients_take_turns_by_their_seconds_of_audio(store: JobStore) -> None:
    """Ann's hundred recordings keep back neither Bob's first one nor his short ones."""
    anns = [(await store.put(draft(ANN, 60.0), audio())).id for _ in range(4)]
    bobs = [(await store.put(draft(BOB, 20.0), audio())).id for _ in range(4)]
    order = [(await claimed(store)).job.id for _ in range(8)]
    assert order == [anns[0], *bobs[:3], anns[1], bobs[3], *anns[2:]]


async def test_a_client_that_was_away_gets_no_more_than_its_turn(store: JobStore) -> None:
    for _ in range(3):
        await store.put(draft(ANN, 60.0), audio())
        await claimed(store)
    anns = [(await store.put(draft(ANN, 60.0), audio())).id for _ in range(2)]
    bobs = [(await store.put(draft(BOB, 60.0), audio())).id for _ in range(3)]
    order = [(await claimed(store)).job.id for _ in range(5)]
    assert order == [bobs[0], anns[0], bobs[1], anns[1], bobs[2]]


async def places(store: JobStore, jobs: Iterable[Job]) -> list[JobsAhead]:
    """What is claimed before each."""
    return [(await store.placed(job.client, job.id)).ahead for job in jobs]


async def test_behind_many_others_it_knows_how_many_and_about_how_long_they_take(store: JobStore) -> None:
    for number in range(130):
        await store.put(draft(seconds=10.0 + number % 3), audio())
    found = (await store.placed(ANN, (await store.put(draft(seconds=600.0), audio())).id)).ahead
    assert found.jobs == 130
    assert 130 * 11 - 20 < found.audio_seconds < 130 * 11 + 30 * 20  # its own may count for the mean


async def test_a_job_in_the_queue_knows_what_is_claimed_before_it(store: JobStore) -> None:
    jobs = [await store.put(draft(seconds=10.0 * number), audio()) for number in (1, 2, 3)]
    assert await places(store, jobs) == [JobsAhead(0, 0.0), JobsAhead(1, 10.0), JobsAhead(2, 30.0)]
    await store.claim()
    assert await places(store, jobs) == [JobsAhead(0, 0.0), JobsAhead(0, 0.0), JobsAhead(1, 20.0)]


async def test_jobs_whose_turns_are_the_same_go_in_the_order_in_which_they_came(store: JobStore) -> None:
    """Those of clients that have nothing else in the queue."""
    jobs = [await store.put(draft(client, seconds), audio()) for client, seconds in ((ANN, 30.0), (BOB, 20.0))]
    third = await store.put(draft("key cara", 10.0), audio())
    assert await places(store, jobs) == [JobsAhead(0, 0.0), JobsAhead(1, 30.0)]
    assert (await store.placed("key cara", third.id)).ahead == JobsAhead(2, 50.0)


async def test_a_job_and_its_place_are_of_its_client_alone(store: JobStore) -> None:
    job = await store.put(draft(), audio())
    assert (await store.placed(ANN, job.id)).job == job
    with pytest.raises(NoSuchJob):
        await store.placed(BOB, job.id)
    await store.delete(ANN, job.id)
    with pytest.raises(JobGone):
        await store.placed(ANN, job.id)


@pytest.mark.parametrize("state", ["queued", "in_progress", *ENDED])
async def test_a_cancellation_may_be_repeated(store: JobStore, state: JobState) -> None:
    """What has ended stays as it ended."""
    job = await job_in(store, state)
    wanted = state if state in ENDED else "cancelled"
    cancelled = await store.cancel(ANN, job.id)
    assert cancelled.state == wanted
    assert await store.cancel(ANN, job.id) == cancelled == await store.get(ANN, job.id)
    assert await store.claim() is None


async def test_the_worker_of_a_cancelled_job_learns_it(store: JobStore) -> None:
    job = await store.put(draft(), audio())
    lease = (await claimed(store)).lease
    await store.cancel(ANN, job.id)
    for verb in late_verbs(store, lease):
        with pytest.raises(JobLeaseLost):
            await verb()


@pytest.mark.parametrize("state", ["queued", "in_progress", *ENDED])
async def test_of_a_deleted_job_only_its_id_is_left(store: JobStore, clock: HandClock, state: JobState) -> None:
    job = await job_in(store, state)
    await store.delete(ANN, job.id)
    for verb in own_verbs(store, ANN, job.id):
        with pytest.raises(JobGone):
            await verb()
    for verb in own_verbs(store, BOB, job.id):
        with pytest.raises(NoSuchJob):
            await verb()
    assert (await store.page(ANN, after=None, limit=10, state=None)).jobs == ()
    assert await store.claim() is None
    clock.now += KEEP_SECONDS
    await store.expire()
    with pytest.raises(NoSuchJob):
        await store.get(ANN, job.id)


def own_verbs(store: JobStore, client: str, job_id: str) -> list[Callable[[], Awaitable[Any]]]:
    return [
        lambda: store.get(client, job_id),
        lambda: store.result(client, job_id),
        lambda: store.cancel(client, job_id),
        lambda: store.delete(client, job_id),
    ]


@pytest.mark.parametrize("state", ["queued", "in_progress", *ENDED])
async def test_a_client_has_its_own_jobs_alone(store: JobStore, state: JobState) -> None:
    job = await job_in(store, state)
    for client, job_id in ((BOB, job.id), (ANN, "tr_unknown")):
        for verb in own_verbs(store, client, job_id):
            with pytest.raises(NoSuchJob):
                await verb()
        with pytest.raises(NoSuchJob):
            await store.page(client, after=job_id, limit=10, state=None)
    assert (await store.page(BOB, after=None, limit=10, state=None)).jobs == ()
    assert await store.get(ANN, job.id) == job


@pytest.mark.parametrize("state", ["queued", "in_progress", "failed", "cancelled"])
async def test_only_a_completed_job_has_a_result(store: JobStore, state: JobState) -> None:
    job = await job_in(store, state)
    with pytest.raises(JobNotDone):
        await store.result(ANN, job.id)


async def test_a_list_has_pages_newest_first(store: JobStore) -> None:
    ids = [(await store.put(draft(), audio())).id for _ in range(5)][::-1]
    await store.put(draft(BOB), audio())
    found: list[str] = []
    more = True
    while more:
        page = await store.page(ANN, after=found[-1] if found else None, limit=2, state=None)
        found += [job.id for job in page.jobs]
        more = page.has_more
    assert found == ids


async def test_a_list_may_be_of_one_state(store: JobStore) -> None:
    by_state: dict[JobState, Job] = {state: await job_in(store, state) for state in ("in_progress", *ENDED, "queued")}
    for state, job in by_state.items():
        assert await store.page(ANN, after=None, limit=10, state=state) == await page_of(store, job)


async def page_of(store: JobStore, job: Job) -> Any:
    found = await store.page(ANN, after=None, limit=100, state=None)
    return type(found)(tuple(one for one in found.jobs if one.id == job.id), has_more=False)


async def test_a_result_expires_and_then_the_job_is_forgotten(store: JobStore, clock: HandClock) -> None:
    jobs = {state: await job_in(store, state) for state in ENDED}
    live = await store.put(draft(), audio())
    clock.now += KEEP_SECONDS - 1
    await store.expire()
    assert await store.result(ANN, jobs["completed"].id) == b"words"
    clock.now += 1
    await store.expire()
    assert (await store.get(ANN, jobs["completed"].id)).state == "expired"
    with pytest.raises(JobGone):
        await store.result(ANN, jobs["completed"].id)
    for state in ("failed", "cancelled"):
        with pytest.raises(NoSuchJob):
            await store.get(ANN, jobs[state].id)
    clock.now += KEEP_SECONDS
    await store.expire()
    with pytest.raises(NoSuchJob):
        await store.get(ANN, jobs["completed"].id)
    assert (await store.get(ANN, live.id)).state == "queued"


async def test_one_key_is_one_job(open_store: OpenStore) -> None:
    """Even where the same request comes to two processes at once."""
    one, other = open_store(), open_store()
    same = draft(idempotency_key="k", body_digest="a")
    assert await one.with_key(ANN, "k", "a") is None
    first, again = await asyncio.gather(one.put(same, audio()), other.put(same, audio()))
    assert first.id == again.id
    assert await one.with_key(ANN, "k", "a") == first
    assert (await one.put(draft(BOB, idempotency_key="k", body_digest="b"), audio())).id != first.id
    for wrong in (one.put(draft(idempotency_key="k", body_digest="b"), audio()), one.with_key(ANN, "k", "b")):
        with pytest.raises(KeyReused):
            await wrong
    await one.delete(ANN, first.id)
    assert await one.with_key(ANN, "k", "b") is None


async def test_those_of_many_keys_are_found_at_once(open_store: OpenStore) -> None:
    store = open_store()
    jobs = [await store.put(draft(idempotency_key=f"k{n}", body_digest="a"), audio()) for n in range(4)]
    await store.put(draft(idempotency_key="others", body_digest="b"), audio())
    await store.put(draft(BOB, idempotency_key="bob", body_digest="a"), audio())
    await store.put(draft(), audio())
    await store.delete(ANN, jobs[1].id)
    asked = ["k3", "k0", "k1", "others", "bob", "unknown", ""]
    assert {job.id for job in await store.made_by(ANN, asked, "a")} == {jobs[0].id, jobs[3].id}
    assert await store.made_by(ANN, [], "a") == []
    assert await store.get(ANN, jobs[0].id) in await store.made_by(ANN, asked, "a")


async def test_a_full_store_refuses_jobs_and_loses_none(open_store: OpenStore) -> None:
    store, content = open_store(max_bytes=50_000), b"x" * 10_000
    clients = (ANN, BOB, "key eve")
    jobs = [await store.put(draft(client, 1.0), audio(content)) for client in clients]
    with pytest.raises(JobStoreFull, match=r"store of jobs is full .* delete jobs"):
        await store.put(draft("key zoe", 1.0), audio(content))
    for _ in jobs:
        found = await claimed(store)
        with await store.audio(found.lease) as file:
            assert file.read() == content
        await store.finish(found.lease, b"words")
    assert [await store.result(job.client, job.id) for job in jobs] == [b"words"] * 3
    await store.put(draft("key zoe", 1.0), audio(content))


async def test_a_client_leaves_as_much_of_the_store_to_others_as_it_takes(open_store: OpenStore) -> None:
    store, content = open_store(max_bytes=100_000), b"x" * 10_000
    jobs = [await store.put(draft(ANN, 1.0), audio(content)) for _ in range(3)]
    with pytest.raises(JobStoreFull, match=r"Your jobs take .* delete jobs"):
        await store.put(draft(ANN, 1.0), audio(content))
    await store.put(draft(BOB, 1.0), audio(b"x" * 20_000))
    await store.delete(ANN, jobs[0].id)
    with pytest.raises(JobStoreFull):
        await store.put(draft(ANN, 1.0), audio(content))
    for job in jobs[1:]:
        await store.delete(ANN, job.id)
    await store.put(draft(ANN, 1.0), audio(content))


async def test_a_client_may_queue_audio_up_to_its_quota_whatever_others_queue(open_store: OpenStore) -> None:
    store = open_store(max_queued_seconds=100.0)
    first = await store.put(draft(seconds=60), audio())
    await store.put(draft(BOB, 90.0), audio())
    with pytest.raises(JobQuotaReached, match="have 60 s of audio, and may have 100 s") as refused:
        await store.put(draft(seconds=50), audio())
    assert refused.value.excess == 10
    await store.check_quota(ANN)
    await store.put(draft(seconds=40), audio())
    with pytest.raises(JobQuotaReached):
        await store.check_quota(ANN)
    await store.cancel(ANN, first.id)
    await store.put(draft(seconds=60), audio())


async def test_a_job_that_has_begun_leaves_room_for_another_until_it_is_queued_again(open_store: OpenStore) -> None:
    store = open_store(max_queued_seconds=100.0)
    await store.put(draft(seconds=100), audio())
    lease = (await claimed(store)).lease
    await store.put(draft(seconds=1), audio())
    await store.hand_back(lease)
    with pytest.raises(JobQuotaReached):
        await store.put(draft(seconds=1), audio())
    for _ in range(2):
        await store.finish((await claimed(store)).lease, b"words")
    await store.put(draft(seconds=100), audio())


async def test_any_job_is_taken_of_a_client_that_has_none_queued(open_store: OpenStore) -> None:
    """Else one that is longer than the quota would be refused for ever, each time as one to try again."""
    store = open_store(max_queued_seconds=100.0)
    job = await store.put(draft(seconds=5000), audio())
    with pytest.raises(JobQuotaReached):
        await store.put(draft(seconds=0.1), audio())
    await store.delete(ANN, job.id)
    await store.put(draft(seconds=5000), audio())


async def test_a_job_that_is_there_counts_against_no_quota_again(open_store: OpenStore) -> None:
    store = open_store(max_queued_seconds=10.0)
    first = await store.put(draft(idempotency_key="a"), audio())
    assert await store.put(draft(idempotency_key="a"), audio()) == first


async def test_a_job_names_the_model_of_its_present_attempt(store: JobStore) -> None:
    job = await store.put(draft(), audio())
    found = await store.claim("base")
    assert found is not None
    assert (found.job.model, (await store.get(ANN, job.id)).model) == ("base", "base")
    await store.hand_back(found.lease)
    assert (await store.get(ANN, job.id)).model is None
    found = await store.claim("tiny")
    assert found is not None
    await store.finish(found.lease, b"words")
    assert (await store.get(ANN, job.id)).model == "tiny"


async def test_the_tally_has_how_attempts_ended_and_why_jobs_failed(store: JobStore, clock: HandClock) -> None:
    await store.put(draft(), audio())
    await store.hand_back((await claimed(store)).lease)
    await store.retry((await claimed(store)).lease, ERROR)
    await claimed(store)
    clock.now += LEASE_SECONDS
    await store.finish((await claimed(store)).lease, b"words")
    await job_in(store, "failed")
    found = (await store.statistics()).tally
    assert found.attempts == {"handed_back": 1, "failed": 2, "lease_lost": 1, "completed": 1}
    assert found.failures == {"out_of_memory": 1}

    await store.put(draft(), audio())
    for _ in range(MAX_ATTEMPTS):
        await claimed(store)
        clock.now += LEASE_SECONDS
    assert await store.claim() is None
    assert (await store.statistics()).tally.failures == {"out_of_memory": 1, "job_abandoned": 1}

    clock.now += KEEP_SECONDS
    await store.expire()
    assert (await store.statistics()).tally.expired == 1


async def test_statistics_have_what_the_store_takes(store: JobStore) -> None:
    job = await store.put(draft(), audio(bytes(5000)))
    used = (await store.statistics()).used_bytes
    assert used > 5000
    await store.cancel(ANN, job.id)
    assert 0 < (await store.statistics()).used_bytes < used - 5000


async def test_statistics_follow_each_change(store: JobStore, clock: HandClock) -> None:
    assert (await store.statistics()).oldest_created is None
    first, began = await store.put(draft(seconds=10), audio()), clock.now
    clock.now += 5
    second = await store.put(draft(seconds=20), audio())
    found = await store.statistics()
    assert (found.jobs["queued"], found.queued_audio_seconds, found.oldest_created) == (2, 30, began)
    lease = (await claimed(store)).lease
    found = await store.statistics()
    assert (found.jobs["queued"], found.jobs["in_progress"], found.queued_audio_seconds) == (1, 1, 20)
    assert found.oldest_created == clock.now
    await store.finish(lease, b"words")
    await store.cancel(ANN, second.id)
    found = await store.statistics()
    assert {state: number for state, number in found.jobs.items() if number} == {"completed": 1, "cancelled": 1}
    for job in (first, second):
        await store.delete(ANN, job.id)
    assert not any((await store.statistics()).jobs.values())
