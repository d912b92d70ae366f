"""The queue is shared between the clients that ask."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.engine import FakeEngine
from tests.runtime.conftest import Start, speech
from whisper_runtime.errors import ApiError
from whisper_runtime.service.decode_slots import Decoders
from whisper_runtime.service.fair_share import ASKING_SECONDS, MAX_CLIENTS, Places


def refused(places: Places, client: str, seconds: float = 10) -> bool:
    return places.share_full(client, seconds, speed=1, limit=100) is not None


def test_one_client_alone_may_have_the_whole_queue() -> None:
    places = Places()
    places.asks("alice")
    with places.taken("alice", 90):
        assert not refused(places, "alice", 10)


def test_clients_that_ask_at_the_same_time_have_equal_parts() -> None:
    places = Places()
    with places.taken("alice", 60):
        places.asks("alice")
        places.asks("bob")
        assert refused(places, "alice")
        assert not refused(places, "bob", 50)
    assert not refused(places, "alice")


def test_a_client_of_whom_nothing_is_here_may_send_any_file() -> None:
    places = Places()
    places.asks("alice")
    places.asks("bob")
    assert not refused(places, "bob", 5000)


def test_nothing_is_left_of_what_is_gone() -> None:
    """Given lengths whose sum, less each of them, is not 0 in floating point."""
    places = Places()
    with places.taken("bob", 0.1), places.taken("bob", 0.2):
        assert refused(places, "bob", 5000)
    assert not refused(places, "bob", 5000)


def test_who_has_not_asked_for_a_while_leaves_its_part_to_the_others() -> None:
    now = 0.0
    places = Places(clock=lambda: now)
    places.asks("bob")
    with places.taken("alice", 60):
        places.asks("alice")
        assert refused(places, "alice")
        now = ASKING_SECONDS + 1
        places.asks("alice")
        assert not refused(places, "alice")


def test_the_number_of_clients_that_are_remembered_is_bounded() -> None:
    places = Places(clock=lambda: 0.0)
    for number in range(MAX_CLIENTS + 10):
        places.asks(str(number))
    with places.taken("a", 50), ExitStack() as others:
        others.enter_context(places.taken("b", 1))
        error = places.share_full("a", 1, speed=1, limit=100)
    assert error is not None
    assert f"while {MAX_CLIENTS} clients share" in error.body["message"]


def test_the_oldest_wait_is_that_of_a_request_that_is_still_here() -> None:
    now = 0.0
    places = Places(clock=lambda: now)
    with places.taken("alice", 10):
        now = 5.0
        with places.taken("bob", 10):
            now = 7.0
            assert places.oldest_wait == 7
    assert places.oldest_wait == 0


async def test_a_client_over_its_part_is_429_while_another_is_served(
    start: Start, engine: FakeEngine, tmp_path: Path
) -> None:
    engine.answer, engine.speed = None, 1.0
    for name in ("hog", "other"):
        (tmp_path / name).write_text(name)
    client = start(max_queued_audio_seconds=100, api_keys_dir=str(tmp_path))
    hog, other = {"X-API-Key": "hog"}, {"X-API-Key": "other"}
    waiting = [asyncio.create_task(client.post("/transcribe", files=speech(45), headers=hog)) for _ in range(2)]
    async with asyncio.timeout(10):
        await engine.until_submitted(2)
        waiting.append(asyncio.create_task(client.post("/transcribe", files=speech(5), headers=other)))
        await engine.until_submitted(3)
    answer = await client.post("/transcribe", files=speech(5), headers=hog)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "client_share_full")
    assert int(answer.headers["retry-after"]) == 40
    for future in engine.held:
        future.cancel()
    await asyncio.gather(*waiting)


async def test_so_many_uploads_may_wait_for_a_decoder_and_no_more() -> None:
    decoders, release = Decoders(at_once=1, waiting=1), asyncio.Event()

    async def decode() -> None:
        async with decoders.one():
            await release.wait()

    inside = [asyncio.create_task(decode()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(ApiError) as error:
        await decode()
    assert (error.value.status_code, error.value.body["code"]) == (429, "decoders_busy")
    release.set()
    await asyncio.gather(*inside)
    await decode()
