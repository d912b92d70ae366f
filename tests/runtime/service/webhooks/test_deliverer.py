"""Events are sent until they arrive, with the same id; who does not answer holds up nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.fakes.webhook_receiver import ReceiverRequest, WebhookReceiver, answering_with, receiving
from tests.runtime.service.jobs.conftest import audio, draft
from tests.runtime.service.webhooks.conftest import TransportTo
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.jobs.outbox import Delivery
from whisper_runtime.service.jobs.sqlite_outbox import SqliteOutbox
from whisper_runtime.service.jobs.sqlite_store import SqliteJobStore
from whisper_runtime.service.outbound.errors import OutboundError
from whisper_runtime.service.webhooks import deliverer as delivering
from whisper_runtime.service.webhooks import schedule
from whisper_runtime.service.webhooks.deliverer import MOST_OF_ONE_CLIENT, WebhookDeliverer


class Sending:
    """A store whose jobs end, and what sends their events."""

    def __init__(
        self, directory: Path, transport_to: TransportTo, secrets_dir: Path, receiver: WebhookReceiver
    ) -> None:
        self.store = SqliteJobStore(directory, max_bytes=10**9, keep_seconds=3600)
        self.outbox = SqliteOutbox(directory, claim_seconds=0.2)
        self.host = f"http://hooks.test:{httpx.URL(receiver.url).port}"
        self.metrics = Metrics("base")
        self.deliverer = WebhookDeliverer(self.outbox, transport_to(self.host), secrets_dir, self.metrics.requests)

    async def end_job(self, client: str = "key ann", path: str = "/") -> Job:
        job = await self.store.put(draft(client, webhook_url=self.host + path), audio())
        return await self.store.cancel(client, job.id)

    def count(self, outcome: str) -> float | None:
        return self.metrics.registry.get_sample_value("whisper_webhook_deliveries_total", {"outcome": outcome})

    async def until_settled(self, job: Job) -> Delivery:
        """The job's event, once nothing more is tried."""

        async def settled() -> Delivery:
            while (found := await self.outbox.latest(job.id)) is None or found.state == "pending":
                await asyncio.sleep(0.02)
            return found

        return await asyncio.wait_for(settled(), 30)


Send = Callable[[WebhookReceiver], AbstractAsyncContextManager[Sending]]


@pytest.fixture
def sending(tmp_path: Path, transport_to: TransportTo, secrets_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Sends events to a receiver until the end of the block, again after no time."""
    monkeypatch.setattr(delivering, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(schedule, "WAITS", (0.0, 0.0))

    @asynccontextmanager
    async def running(receiver: WebhookReceiver) -> AsyncIterator[Sending]:
        found = Sending(tmp_path / "jobs", transport_to, secrets_dir, receiver)
        task = asyncio.create_task(found.deliverer.run())
        yield found
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await found.outbox.close()
        await found.store.close()

    return running


async def test_an_event_is_sent_once_where_it_arrives(sending: Send) -> None:
    with receiving() as receiver:
        async with sending(receiver) as running:
            job = await running.end_job(path="/a")
            found = await running.until_settled(job)
        (got,) = receiver.received
    assert (found.state, found.attempt, found.failure) == ("delivered", 1, None)
    assert (got.path, got.event["type"], got.event["data"]) == ("/a", "transcription.cancelled", {"id": job.id})
    assert got.headers["webhook-id"] == got.event["id"] == found.event_id
    assert running.count("delivered") == 1


async def test_each_attempt_is_the_same_event(sending: Send, caplog: pytest.LogCaptureFixture) -> None:
    with receiving(answering_with(503), answering_with(302), answering_with(200)) as receiver:
        async with sending(receiver) as running:
            found = await running.until_settled(await running.end_job(path="/?token=secret"))
        received = receiver.received
    assert (found.state, found.attempt, found.failure) == ("delivered", 3, None)
    assert len({one.headers["webhook-id"] for one in received}) == len({one.body for one in received}) == 1
    assert (len(received), running.count("failed"), running.count("delivered")) == (3, 2, 1)
    assert f"event {found.event_id} of {found.job_id}, attempt 1: `webhook_url` answered 503." in caplog.text
    assert "secret" not in caplog.text


async def test_an_event_that_never_arrives_is_abandoned(sending: Send) -> None:
    with receiving(answering_with(500)) as receiver:
        async with sending(receiver) as running:
            found = await running.until_settled(await running.end_job())
        assert len(receiver.received) == 3
    assert (found.state, found.attempt, found.failure) == ("abandoned", 3, "`webhook_url` answered 500.")
    assert running.count("abandoned") == 1


async def test_410_stops_an_event(sending: Send) -> None:
    with receiving(answering_with(410)) as receiver:
        async with sending(receiver) as running:
            found = await running.until_settled(await running.end_job())
        assert len(receiver.received) == 1
    assert (found.state, found.failure) == (
        "abandoned",
        "`webhook_url` answered 410, so that it gets this event no more.",
    )


async def test_a_receiver_that_does_not_answer_holds_up_its_own_client_alone(sending: Send) -> None:
    def deaf_to_ann(request: ReceiverRequest) -> None:
        if request.path == "/ann":
            request.receiver.over.wait()
        request.answer(204)

    with receiving(deaf_to_ann) as receiver:
        async with sending(receiver) as running:
            for _ in range(2 * MOST_OF_ONE_CLIENT):
                await running.end_job("key ann", "/ann")
            await asyncio.to_thread(receiver.until_received, MOST_OF_ONE_CLIENT)
            found = await running.until_settled(await running.end_job("key bob", "/bob"))
            assert found.state == "delivered"
            assert sum(one.path == "/ann" for one in receiver.received) == MOST_OF_ONE_CLIENT
            receiver.over.set()


async def test_an_attempt_that_ends_with_its_process_is_made_again_by_the_next(sending: Send) -> None:
    """The receiver got it, and we do not know: at least once."""

    def hangs(request: ReceiverRequest) -> None:
        request.receiver.over.wait()
        request.close_connection = True

    with receiving(hangs, answering_with(204)) as receiver:
        async with sending(receiver) as running:
            job = await running.end_job()
            await asyncio.to_thread(receiver.until_received)
        async with sending(receiver) as running:
            found = await running.until_settled(job)
            first, second = receiver.received
        receiver.over.set()
    assert (found.state, found.attempt) == ("delivered", 2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_an_outbox_that_cannot_be_read_ends_nothing(
    sending: Send, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(delivering, "PAUSE_SECONDS", 0.02)
    claims = iter([OSError("the disk is gone")])
    claim = SqliteOutbox.claim

    async def fails_once(outbox: SqliteOutbox, busy: set[str]) -> Delivery | None:
        if error := next(claims, None):
            raise error
        return await claim(outbox, busy)

    monkeypatch.setattr(SqliteOutbox, "claim", fails_once)
    with receiving() as receiver:
        async with sending(receiver) as running:
            found = await running.until_settled(await running.end_job())
    assert found.state == "delivered"
    assert "no event can be taken from the outbox: the disk is gone" in caplog.text


async def test_an_address_is_judged_before_there_is_an_event(sending: Send) -> None:
    with receiving() as receiver:
        async with sending(receiver) as running:
            await running.deliverer.check(f"{running.host}/a")
            for url, reason in (
                ("http://127.0.0.1/", "NotAllowed"),
                ("https://hooks.test/", "NotAllowed"),
                ("hooks", "Invalid"),
            ):
                with pytest.raises(OutboundError) as refused:
                    await running.deliverer.check(url)
                assert refused.value.reason == reason
        assert receiver.received == []
