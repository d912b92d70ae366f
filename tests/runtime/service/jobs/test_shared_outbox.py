"""Each verb of the outbox is one of the store's program, which writes down what became of exactly that attempt."""

from __future__ import annotations

from typing import Any, cast

from whisper_runtime.service.jobs.outbox import Delivery
from whisper_runtime.service.jobs.shared_outbox import SharedOutbox
from whisper_runtime.service.jobs.shared_verbs import SharedVerbs

EVENT = {
    "event_id": "evt_1",
    "job_id": "job_1",
    "client": "key ann",
    "type": "transcription.completed",
    "url": "https://hooks.example.com/a",
    "created": "7.5",
    "state": "pending",
    "attempt": "3",
    "due": "9.25",
}
DELIVERY = Delivery(
    event_id="evt_1",
    job_id="job_1",
    client="key ann",
    type="transcription.completed",
    url="https://hooks.example.com/a",
    created=7.5,
    state="pending",
    attempt=3,
    due=9.25,
    failure=None,
)


class RecordedVerbs:
    def __init__(self, found: list[Any]) -> None:
        self.found = found
        self.calls: list[tuple[Any, ...]] = []

    async def call(self, *call: Any) -> list[Any]:
        self.calls.append(call)
        return self.found


def outbox(verbs: RecordedVerbs) -> SharedOutbox:
    return SharedOutbox(cast(SharedVerbs, verbs), claim_seconds=30.0)


def flat(event: dict[str, str]) -> list[bytes]:
    return [word.encode() for pair in event.items() for word in pair]


async def test_what_is_claimed_is_claimed_for_a_while_and_from_nobody_who_is_busy() -> None:
    verbs = RecordedVerbs([flat(EVENT)])
    assert await outbox(verbs).claim(["https://busy.example.com"]) == DELIVERY
    assert verbs.calls == [("claim_event", 30.0, "https://busy.example.com")]


async def test_nothing_to_deliver_is_none() -> None:
    assert await outbox(RecordedVerbs([])).claim([]) is None
    assert await outbox(RecordedVerbs([])).latest("job_1") is None


async def test_why_the_last_attempt_failed_is_read_back() -> None:
    found = await outbox(RecordedVerbs([flat(EVENT | {"failure": "500"})])).latest("job_1")
    assert found is not None
    assert found.failure == "500"


async def test_what_became_of_an_attempt_is_written_with_its_number() -> None:
    verbs = RecordedVerbs([])
    box = outbox(verbs)
    await box.delivered(DELIVERY)
    await box.postpone(DELIVERY, "503", 60.0)
    await box.abandon(DELIVERY, "410")
    assert verbs.calls == [
        ("note_event", "evt_1", "3", "delivered", 0.0, ""),
        ("note_event", "evt_1", "3", "pending", 60.0, "503"),
        ("note_event", "evt_1", "3", "abandoned", 0.0, "410"),
    ]
