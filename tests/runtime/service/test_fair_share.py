"""The queue is shared between the clients that ask."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.fakes.engine import FakeEngine
from tests.runtime.conftest import Start, speech
from whisper_runtime.service.client_identity import MAX_CLIENTS
from whisper_runtime.service.fair_share import ASKING_SECONDS, FairShare
from whisper_runtime.service.place import QueuePlace


@contextmanager
def holding(shares: FairShare, client: str, seconds: float) -> Generator[QueuePlace]:
    """The place of a recording of so many seconds, which waits for its turn."""
    place = shares.take(client, 0)
    place.seconds = seconds
    shares.accept(place)
    yield place
    shares.leave(place)


def refused(shares: FairShare, client: str, seconds: float = 10) -> bool:
    return shares.refusal(client, seconds, speed=1, limit=100) is not None


def test_one_client_alone_may_have_the_whole_queue() -> None:
    shares = FairShare()
    shares.note_request("alice")
    with holding(shares, "alice", 90):
        assert not refused(shares, "alice", 10)


def test_clients_that_ask_at_the_same_time_have_equal_parts() -> None:
    shares = FairShare()
    with holding(shares, "alice", 60):
        shares.note_request("alice")
        shares.note_request("bob")
        assert refused(shares, "alice")
        assert not refused(shares, "bob", 50)
    assert not refused(shares, "alice")


def test_a_client_that_holds_nothing_may_send_any_file() -> None:
    shares = FairShare()
    shares.note_request("alice")
    shares.note_request("bob")
    assert not refused(shares, "bob", 5000)


def test_what_is_being_transcribed_does_not_wait() -> None:
    shares = FairShare()
    shares.note_request("alice")
    shares.note_request("bob")
    with holding(shares, "alice", 5000) as place:
        assert refused(shares, "alice")
        place.begin()
        assert not refused(shares, "alice")


def test_uploads_count_from_the_door_on_and_only_while_they_come() -> None:
    now = 0.0
    shares = FairShare(clock=lambda: now)
    shares.note_request("alice")
    shares.note_request("bob")
    upload, idle = shares.take("alice", 100_000_000), shares.take("carol", 100_000_000)
    shares.receive(upload, 100_000, is_last=False)
    assert shares.coming() == (1, 30)
    assert shares.coming(but=upload) == (0, 0)
    assert refused(shares, "alice", 30)
    now = 5.0
    assert shares.coming() == (0, 6.25)
    shares.leave(upload)
    shares.leave(idle)
    assert shares.coming() == (0, 0)


def test_of_what_is_coming_only_the_earlier_is_before_a_place() -> None:
    shares = FairShare()
    first, second, third = (shares.take(client, 5_000_000) for client in ("alice", "bob", "carol"))
    for place in (first, second, third):
        shares.receive(place, 5_000_000, is_last=True)
    assert [shares.coming(but=place)[0] for place in (first, second, third)] == [0, 1, 2]
    assert shares.coming()[0] == 3


def test_nothing_is_left_of_what_is_gone() -> None:
    """Given lengths whose sum, less each of them, is not 0 in floating point."""
    shares = FairShare()
    with holding(shares, "bob", 0.1), holding(shares, "bob", 0.2):
        assert refused(shares, "bob", 5000)
    assert not refused(shares, "bob", 5000)


def test_a_client_that_has_not_asked_for_a_while_leaves_its_part_to_the_others() -> None:
    now = 0.0
    shares = FairShare(clock=lambda: now)
    shares.note_request("bob")
    with holding(shares, "alice", 60):
        shares.note_request("alice")
        assert refused(shares, "alice")
        now = ASKING_SECONDS + 1
        shares.note_request("alice")
        assert not refused(shares, "alice")


def test_the_number_of_clients_that_are_remembered_is_bounded() -> None:
    shares = FairShare(clock=lambda: 0.0)
    for number in range(MAX_CLIENTS + 10):
        shares.note_request(str(number))
    with holding(shares, "a", 50), ExitStack() as others:
        others.enter_context(holding(shares, "b", 1))
        error = shares.refusal("a", 1, speed=1, limit=100)
    assert error is not None
    assert f"while {MAX_CLIENTS} clients share" in error.body["message"]


def test_the_oldest_wait_is_that_of_a_request_that_is_still_here() -> None:
    now = 0.0
    shares = FairShare(clock=lambda: now)
    with holding(shares, "alice", 10):
        now = 5.0
        with holding(shares, "bob", 10):
            now = 7.0
            assert shares.oldest_wait == 7
    assert shares.oldest_wait == 0


async def test_a_client_over_its_part_is_429_while_another_is_served(
    start: Start, engine: FakeEngine, tmp_path: Path
) -> None:
    engine.answer, engine.speed = None, 1.0
    for name in ("hog", "other"):
        (tmp_path / name).write_text(name)
    client = start(max_queued_audio_seconds=100, api_keys_dir=str(tmp_path))
    hog, other = {"X-API-Key": "hog"}, {"X-API-Key": "other"}
    waiting = [asyncio.create_task(client.post("/transcribe", files=speech(45), headers=hog)) for _ in range(2)]
    await engine.until_submitted(2)
    waiting.append(asyncio.create_task(client.post("/transcribe", files=speech(5), headers=other)))
    await engine.until_submitted(3)
    answer = await client.post("/transcribe", files=speech(5), headers=hog)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "client_share_full")
    assert int(answer.headers["retry-after"]) == 41  # 90 s wait, and a little more by the upload's length
    for future in engine.held:
        future.cancel()
    await asyncio.gather(*waiting)
