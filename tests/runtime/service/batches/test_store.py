"""What every store of files and batches must do: a new backend is one more parameter of `open_batch_store`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.runtime.service.batches.conftest import (
    ANN,
    BOB,
    CONTENT,
    ENDPOINT,
    KEPT_SECONDS,
    WINDOW_SECONDS,
    OpenBatchStore,
    claimed,
    content,
    file_draft,
    put,
    queue,
)
from tests.runtime.service.jobs.conftest import LEASE_SECONDS, HandClock
from whisper_runtime.service.batches.batch import (
    BatchDraft,
    BatchLease,
    BatchLeaseLost,
    LineAnswer,
    LineFault,
    NoSuchBatch,
)
from whisper_runtime.service.batches.batch_table import MOST_OF_ONE_CLIENT
from whisper_runtime.service.batches.file import FileInUse, NoSuchFile
from whisper_runtime.service.batches.store import BatchStore
from whisper_runtime.service.jobs.job import JobStoreFull
from whisper_runtime.service.jobs.outbox import DeliveryOutbox

FAULT = LineFault("invalid_json_line", "Line 1: no", None, 1)


def right(number: int, text: str = "yes") -> LineAnswer:
    return LineAnswer(number, text, is_error=False)


def wrong(number: int, text: str = "no") -> LineAnswer:
    return LineAnswer(number, text, is_error=True)


async def read(store: BatchStore, file_id: str | None) -> bytes:
    assert file_id is not None
    with await store.open_file(ANN, file_id) as file:
        return file.read()


async def test_a_file_from_its_upload_to_its_end(batch_store: BatchStore, clock: HandClock) -> None:
    file = await batch_store.put_file(file_draft(filename="a b.jsonl"), content())
    assert (file.size, file.purpose, file.filename) == (len(CONTENT), "batch", "a b.jsonl")
    assert (file.created, file.expires) == (clock.now, clock.now + KEPT_SECONDS)
    assert await batch_store.file(ANN, file.id) == file
    assert await read(batch_store, file.id) == CONTENT
    with await batch_store.open_file(ANN, file.id) as still_open:
        await batch_store.delete_file(ANN, file.id)
        assert still_open.read() == CONTENT
    for verb in file_verbs(batch_store, ANN, file.id):
        with pytest.raises(NoSuchFile):
            await verb()


def file_verbs(store: BatchStore, client: str, file_id: str) -> list[Callable[[], Awaitable[Any]]]:
    draft = BatchDraft(client, ENDPOINT, file_id, "24h", WINDOW_SECONDS, KEPT_SECONDS)
    return [
        lambda: store.file(client, file_id),
        lambda: store.open_file(client, file_id),
        lambda: store.delete_file(client, file_id),
        lambda: store.file_page(client, after=file_id, limit=1, purpose=None, oldest_first=False),
        lambda: store.create(draft),
    ]


async def test_a_client_has_its_own_files_alone(batch_store: BatchStore) -> None:
    file = await put(batch_store)
    for client, file_id in ((BOB, file.id), (ANN, "file-1")):
        for verb in file_verbs(batch_store, client, file_id):
            with pytest.raises(NoSuchFile):
                await verb()
    page = await batch_store.file_page(BOB, after=None, limit=10, purpose=None, oldest_first=False)
    assert page.files == ()


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("purpose", [None, "batch"])
async def test_a_list_of_files_has_pages(batch_store: BatchStore, oldest_first: bool, purpose: Any) -> None:
    files = [await put(batch_store, purpose="user_data" if n % 2 else "batch") for n in range(6)]
    wanted = [one.id for one in files if purpose in (None, one.purpose)][:: 1 if oldest_first else -1]
    await put(batch_store, BOB)
    found: list[str] = []
    more = True
    while more:
        after = found[-1] if found else None
        page = await batch_store.file_page(ANN, after=after, limit=2, purpose=purpose, oldest_first=oldest_first)
        found += [one.id for one in page.files]
        more = page.has_more
    assert found == wanted


async def test_what_was_accepted_is_there_after_a_restart(open_batch_store: OpenBatchStore) -> None:
    before = open_batch_store()
    batch = await queue(before, metadata={"meeting": "7"})
    lease = (await claimed(before)).lease
    await before.begin_batch(lease, 2)
    await before.answer(lease, [right(1)])
    await before.close()
    after = open_batch_store()
    assert (await after.batch(ANN, batch.id)).metadata == {"meeting": "7"}
    assert await after.answered(lease) == {1}
    assert await read(after, batch.input_file) == CONTENT


async def test_a_batch_from_its_file_to_its_answers(batch_store: BatchStore, clock: HandClock) -> None:
    batch = await queue(batch_store)
    assert (batch.state, batch.created, batch.expires) == ("validating", clock.now, clock.now + WINDOW_SECONDS)
    lease = (await claimed(batch_store)).lease
    clock.now += 1
    begun = await batch_store.begin_batch(lease, 4)
    assert (begun.state, begun.began, begun.total) == ("in_progress", clock.now, 4)
    await batch_store.answer(lease, [right(4, "d"), wrong(2, "b")])
    await batch_store.answer(lease, [right(1, "a"), right(4, "another answer"), right(3, "ç")])
    assert await batch_store.answered(lease) == {1, 2, 3, 4}
    assert ((await batch_store.look(lease)).completed, (await batch_store.look(lease)).failed) == (3, 1)
    clock.now += 1
    finalizing = await batch_store.finalize(lease, "completed")
    assert (finalizing.state, finalizing.finalizing) == ("finalizing", clock.now)
    await batch_store.finish_batch(lease)
    done = await batch_store.batch(ANN, batch.id)
    assert (done.state, done.ended, done.completed, done.failed) == ("completed", clock.now, 3, 1)
    assert await read(batch_store, done.output_file) == "a\nç\nd\n".encode()
    assert await read(batch_store, done.error_file) == b"b\n"
    assert await batch_store.claim_batch() is None


async def test_files_of_many_answers_are_whole(batch_store: BatchStore) -> None:
    batch = await queue(batch_store)
    lease = (await claimed(batch_store)).lease
    await batch_store.begin_batch(lease, 2001)
    await batch_store.answer(lease, [right(n, f"{n}") for n in reversed(range(1, 2002))])
    await batch_store.finalize(lease, "completed")
    await batch_store.finish_batch(lease)
    done = await batch_store.batch(ANN, batch.id)
    assert (await read(batch_store, done.output_file)).split() == [b"%d" % n for n in range(1, 2002)]
    assert done.error_file is None


async def test_a_batch_may_expire(batch_store: BatchStore) -> None:
    """It is known from the moment on at which the last line is answered, whoever ends it then."""
    batch = await queue(batch_store)
    lease = (await claimed(batch_store)).lease
    await batch_store.begin_batch(lease, 1)
    await batch_store.finalize(lease, "expired")
    await batch_store.hand_back_batch(lease)
    await batch_store.finish_batch((await claimed(batch_store)).lease)
    assert (await batch_store.batch(ANN, batch.id)).state == "expired"


async def test_two_processes_never_have_the_same_batch(open_batch_store: OpenBatchStore) -> None:
    one, other = open_batch_store(), open_batch_store()
    batches = {(await queue(one, f"key {n}")).id for n in range(6)}
    found = await asyncio.gather(*(store.claim_batch() for store in (one, other) for _ in range(6)))
    assert sorted(one.batch.id for one in found if one) == sorted(batches)


async def test_batches_of_one_client_keep_back_nobody_elses(batch_store: BatchStore) -> None:
    anns = [(await queue(batch_store)).id for _ in range(MOST_OF_ONE_CLIENT + 1)]
    bobs = await queue(batch_store, BOB)
    found = [await claimed(batch_store) for _ in range(MOST_OF_ONE_CLIENT + 1)]
    assert [one.batch.id for one in found] == [*anns[:-1], bobs.id]
    assert await batch_store.claim_batch() is None
    await batch_store.refuse(found[0].lease, [FAULT])
    assert (await claimed(batch_store)).batch.id == anns[-1]


def lease_verbs(store: BatchStore, lease: BatchLease) -> list[Callable[[], Awaitable[Any]]]:
    return [
        lambda: store.look(lease),
        lambda: store.renew_batch(lease),
        lambda: store.hand_back_batch(lease),
        lambda: store.refuse(lease, [FAULT]),
        lambda: store.begin_batch(lease, 1),
        lambda: store.note_try(lease, 1),
        lambda: store.answer(lease, [right(9)]),
        lambda: store.answered(lease),
        lambda: store.finalize(lease, "completed"),
        lambda: store.finish_batch(lease),
    ]


async def test_a_lease_that_runs_out_is_anothers_and_the_late_process_can_change_nothing(
    batch_store: BatchStore, clock: HandClock
) -> None:
    batch = await queue(batch_store)
    late = (await claimed(batch_store)).lease
    clock.now += LEASE_SECONDS
    found = await claimed(batch_store)
    assert (found.batch.id, found.batch.losses) == (batch.id, 1)
    for verb in lease_verbs(batch_store, late):
        with pytest.raises(BatchLeaseLost):
            await verb()
    await batch_store.begin_batch(found.lease, 0)
    await batch_store.finalize(found.lease, "completed")
    await batch_store.finish_batch(found.lease)
    for lease in (late, found.lease):
        for verb in lease_verbs(batch_store, lease):
            with pytest.raises(BatchLeaseLost):
                await verb()


async def test_a_lease_that_is_renewed_lasts(batch_store: BatchStore, clock: HandClock) -> None:
    await queue(batch_store)
    lease = (await claimed(batch_store)).lease
    for _ in range(3):
        clock.now += LEASE_SECONDS - 1
        await batch_store.renew_batch(lease)
        assert await batch_store.claim_batch() is None


async def test_a_batch_that_is_handed_back_is_not_lost(batch_store: BatchStore) -> None:
    await queue(batch_store)
    lease = (await claimed(batch_store)).lease
    await batch_store.hand_back_batch(lease)
    with pytest.raises(BatchLeaseLost):
        await batch_store.look(lease)
    assert (await claimed(batch_store)).batch.losses == 0


async def test_a_line_with_which_processes_are_lost_is_counted(batch_store: BatchStore, clock: HandClock) -> None:
    """However often one process tries it; and anew for another line."""
    await queue(batch_store)
    counts: list[int] = []
    for line in (1, 1, 1, 2):
        lease = (await claimed(batch_store)).lease
        counts += [await batch_store.note_try(lease, line) for _ in range(2)]
        clock.now += LEASE_SECONDS
    assert counts == [1, 1, 2, 2, 3, 3, 1, 1]


async def test_a_file_that_is_wrong_fails_its_batch(batch_store: BatchStore, clock: HandClock) -> None:
    batch = await queue(batch_store)
    failed = await batch_store.refuse((await claimed(batch_store)).lease, [FAULT])
    assert (failed.state, failed.faults, failed.ended) == ("failed", (FAULT,), clock.now)
    assert failed == await batch_store.batch(ANN, batch.id)
    assert await batch_store.claim_batch() is None


async def test_a_cancellation_may_be_repeated(batch_store: BatchStore, clock: HandClock) -> None:
    batch = await queue(batch_store)
    cancelling = await batch_store.cancel_batch(ANN, batch.id)
    assert (cancelling.state, cancelling.cancelling) == ("cancelling", clock.now)
    assert await batch_store.cancel_batch(ANN, batch.id) == cancelling
    lease = (await claimed(batch_store)).lease
    assert (await batch_store.begin_batch(lease, 3)).state == "cancelling"
    assert (await batch_store.refuse(lease, [FAULT])).state == "cancelling"
    assert (await batch_store.finalize(lease, "completed")).state == "cancelling"
    await batch_store.answer(lease, [right(1, "a")])
    await batch_store.finish_batch(lease)
    done = await batch_store.cancel_batch(ANN, batch.id)
    assert (done.state, done.ended) == ("cancelled", clock.now)
    assert await read(batch_store, done.output_file) == b"a\n"


async def test_what_is_finalizing_or_has_ended_is_not_cancelled(batch_store: BatchStore) -> None:
    batch = await queue(batch_store)
    lease = (await claimed(batch_store)).lease
    await batch_store.begin_batch(lease, 0)
    await batch_store.finalize(lease, "completed")
    assert (await batch_store.cancel_batch(ANN, batch.id)).state == "finalizing"
    await batch_store.finish_batch(lease)
    assert (await batch_store.cancel_batch(ANN, batch.id)).state == "completed"


def batch_verbs(store: BatchStore, client: str, batch_id: str) -> list[Callable[[], Awaitable[Any]]]:
    return [
        lambda: store.batch(client, batch_id),
        lambda: store.cancel_batch(client, batch_id),
        lambda: store.batch_page(client, after=batch_id, limit=1),
    ]


async def test_a_client_has_its_own_batches_alone(batch_store: BatchStore) -> None:
    batch = await queue(batch_store)
    for client, batch_id in ((BOB, batch.id), (ANN, "batch_1")):
        for verb in batch_verbs(batch_store, client, batch_id):
            with pytest.raises(NoSuchBatch):
                await verb()
    assert (await batch_store.batch_page(BOB, after=None, limit=10)).batches == ()


async def test_a_list_of_batches_has_pages_newest_first(batch_store: BatchStore) -> None:
    ids = [(await queue(batch_store)).id for _ in range(5)][::-1]
    found: list[str] = []
    more = True
    while more:
        page = await batch_store.batch_page(ANN, after=found[-1] if found else None, limit=2)
        found += [one.id for one in page.batches]
        more = page.has_more
    assert found == ids


async def test_the_file_of_a_batch_stays_until_it_has_ended(batch_store: BatchStore, clock: HandClock) -> None:
    batch = await queue(batch_store)
    with pytest.raises(FileInUse, match=batch.id):
        await batch_store.delete_file(ANN, batch.input_file)
    clock.now += KEPT_SECONDS
    await batch_store.expire_files()
    assert await read(batch_store, batch.input_file) == CONTENT
    await batch_store.refuse((await claimed(batch_store)).lease, [FAULT])
    await batch_store.expire_files()
    with pytest.raises(NoSuchFile):
        await batch_store.file(ANN, batch.input_file)


async def test_files_expire_and_batches_are_forgotten(batch_store: BatchStore, clock: HandClock) -> None:
    batch, other = await queue(batch_store), await put(batch_store, keep_seconds=KEPT_SECONDS + 2)
    lease = (await claimed(batch_store)).lease
    await batch_store.begin_batch(lease, 1)
    await batch_store.answer(lease, [right(1)])
    await batch_store.finalize(lease, "completed")
    await batch_store.finish_batch(lease)
    done = await batch_store.batch(ANN, batch.id)
    assert done.output_file is not None
    clock.now += KEPT_SECONDS - 1
    await batch_store.expire_files()
    await batch_store.file(ANN, done.output_file)
    clock.now += 1
    await batch_store.expire_files()
    with pytest.raises(NoSuchFile):
        await batch_store.file(ANN, done.output_file)
    with pytest.raises(NoSuchBatch):
        await batch_store.batch(ANN, batch.id)
    await batch_store.file(ANN, other.id)


async def test_files_and_jobs_share_the_bound_of_the_store(open_batch_store: OpenBatchStore) -> None:
    store = open_batch_store(max_bytes=100_000)
    files = [await store.put_file(file_draft(), content(b"x" * 40_000))]
    with pytest.raises(JobStoreFull, match=r"Your jobs take .* delete jobs and files"):
        await store.put_file(file_draft(), content(b"x" * 20_000))
    await store.put_file(file_draft(BOB), content(b"x" * 40_000))
    with pytest.raises(JobStoreFull, match=r"store of jobs is full .* delete jobs and files"):
        await store.put_file(file_draft("key eve"), content(b"x" * 20_000))
    await store.delete_file(ANN, files[0].id)
    await store.put_file(file_draft("key eve"), content(b"x" * 40_000))


async def test_a_full_store_takes_no_batch_and_ends_those_that_it_has(open_batch_store: OpenBatchStore) -> None:
    store = open_batch_store(max_bytes=30_000)
    batch = await queue(store)
    await store.put_file(file_draft(BOB), content(b"x" * 15_000))
    with pytest.raises(JobStoreFull):
        await queue(store, "key eve")
    lease = (await claimed(store)).lease
    await store.begin_batch(lease, 1)
    await store.answer(lease, [right(1, "x" * 9_000)])
    await store.finalize(lease, "completed")
    await store.finish_batch(lease)
    assert len(await read(store, (await store.batch(ANN, batch.id)).output_file)) == 9_001


async def test_batches_that_have_not_ended_are_counted_by_their_state(batch_store: BatchStore) -> None:
    assert await batch_store.live_batches() == {}
    for _ in range(3):
        await queue(batch_store)
    await batch_store.refuse((await claimed(batch_store)).lease, [FAULT])
    await batch_store.begin_batch((await claimed(batch_store)).lease, 1)
    assert await batch_store.live_batches() == {"validating": 1, "in_progress": 1}


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled", "expired"])
async def test_the_end_of_a_batch_is_an_event_until_it_is_forgotten(
    batch_store: BatchStore, open_outbox: Callable[[], DeliveryOutbox], clock: HandClock, state: str
) -> None:
    outbox = open_outbox()
    batch = await queue(batch_store, webhook_url="https://hooks.example.com/a")
    silent = await queue(batch_store)
    for _ in (batch, silent):
        lease = (await claimed(batch_store)).lease
        assert await outbox.claim(()) is None or lease.batch_id == silent.id
        if state == "failed":
            await batch_store.refuse(lease, [FAULT])
            continue
        if state == "cancelled":
            await batch_store.cancel_batch(ANN, lease.batch_id)
        await batch_store.begin_batch(lease, 1)
        await batch_store.finalize(lease, "expired" if state == "expired" else "completed")
        await batch_store.finish_batch(lease)
    told = await outbox.latest(batch.id)
    assert told is not None
    assert (told.type, told.client, told.url) == (f"batch.{state}", ANN, "https://hooks.example.com/a")
    assert told.created == clock.now
    assert await outbox.latest(silent.id) is None
    clock.now += KEPT_SECONDS + WINDOW_SECONDS
    await batch_store.expire_files()
    assert await outbox.latest(batch.id) is None
