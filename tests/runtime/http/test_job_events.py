"""A job's events are the same whenever they are read, and go on behind the last one that a client has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine
from tests.fakes.parts import fake_parts
from tests.runtime.conftest import speech
from tests.runtime.http.conftest import Serve
from whisper_runtime.engine.transcription import Options, Segment, Transcription
from whisper_runtime.http import job_events as rendering
from whisper_runtime.http.job_events import END, NOTHING, EventPosition, JobEvents, job_events, position_after
from whisper_runtime.http.sse import KEEP_ALIVE
from whisper_runtime.service.jobs import following
from whisper_runtime.service.jobs.content import JobRequest, JobResult
from whisper_runtime.service.jobs.following import FollowedJob
from whisper_runtime.service.jobs.job import ABANDONED, Job
from whisper_runtime.service.model_info import ModelInfo

TRANSCRIPTIONS = "/v1/audio/transcriptions"
REQUEST = JobRequest(Options(), (), False, {"task": "transcribe", "response_format": "json"}).to_json()
WORDS = (" Ask", " not", " what", "  ", " your")


def segments(count: int) -> list[Segment]:
    return [replace(SEGMENT, text=text, end=2.0 * (number + 1)) for number, text in enumerate(WORDS[:count])]


def result(count: int = len(WORDS)) -> JobResult:
    found = segments(count)
    return JobResult(Transcription("".join(one.text for one in found), "en", 10.0, tuple(found)), "base", False)


def step(state: str, known: int = 0, token: int = 1, **fields: Any) -> FollowedJob:
    job = Job("key ann", REQUEST, 10.0, id="tr_1", token=token, state=state, attempt=1, **fields)  # pyright: ignore[reportArgumentType]
    return FollowedJob(job, segments(known), result() if state == "completed" else None)


def completed() -> FollowedJob:
    return replace(step("completed"), segments=result().transcription.segments)


def parsed(raw: bytes) -> tuple[str, dict[str, Any]]:
    """The id and the data of one event."""
    head, _, data = raw.decode().strip().rpartition("data: ")
    return head.removeprefix("id: ").strip(), json.loads(data)


def shown(raw: bytes) -> tuple[str, str]:
    """Its id; and its delta where it has one, else its type."""
    event_id, data = parsed(raw)
    return event_id, data.get("delta") or data["type"]


@pytest.fixture
def model() -> ModelInfo:
    return fake_parts(FakeEngine()).model.info


def events(model: ModelInfo, *steps: FollowedJob, behind: EventPosition = NOTHING) -> list[tuple[str, str]]:
    found = JobEvents(model, behind)
    return [shown(event) for one in steps for event in found.of(one)]


WHOLE = [
    ("1.0", "transcription.in_progress"),
    ("1.1", "Ask"),
    ("1.2", " not"),
    ("1.3", " what"),
    ("1.5", "   your"),
    ("", "transcript.text.done"),
    (END, "transcription.completed"),
]


def test_a_completed_job_is_replayed_from_its_start(model: ModelInfo) -> None:
    assert events(model, completed()) == WHOLE


def test_who_follows_it_gets_the_same(model: ModelInfo) -> None:
    steps = [step("queued"), step("queued"), step("in_progress"), step("in_progress", 2), step("in_progress", 4)]
    assert events(model, *steps, completed()) == [("", "transcription.queued"), *WHOLE]


def test_all_deltas_together_are_the_text(model: ModelInfo) -> None:
    found = [parsed(event)[1] for event in JobEvents(model, NOTHING).of(completed())]
    text = "".join(one["delta"] for one in found if one["type"] == "transcript.text.delta")
    (done,) = [one for one in found if one["type"] == "transcript.text.done"]
    assert text == done["text"] == "Ask not what   your"
    assert done["usage"]["output_tokens"] == 25


@pytest.mark.parametrize(("have", "left"), [("1.0", 1), ("1.2", 3), ("1.4", 4), ("1.5", 5)])
def test_a_client_goes_on_behind_the_last_event_that_it_has(model: ModelInfo, have: str, left: int) -> None:
    assert events(model, completed(), behind=position_after(have)) == WHOLE[left:]
    assert events(model, step("in_progress", 3), completed(), behind=position_after(have)) == WHOLE[left:]


@pytest.mark.parametrize("have", ["", "x", "1", "1.", "-1.1", "9.9", "1.1.1", "9" * 40 + ".1"])
def test_an_event_that_is_not_of_this_claim_is_the_beginning(model: ModelInfo, have: str) -> None:
    assert events(model, completed(), behind=position_after(have)) == WHOLE


def test_a_job_that_begins_anew_says_so(model: ModelInfo) -> None:
    """Its first attempt's text is void: another model may have it now."""
    found = events(
        model, step("in_progress", 2), step("queued"), replace(completed(), job=step("completed", token=2).job)
    )
    assert found[:4] == [*WHOLE[:3], ("", "transcription.queued")]
    assert found[4:] == [(f"2{event_id[1:]}" if "." in event_id else event_id, what) for event_id, what in WHOLE]


def test_progress_is_told_and_has_no_id(model: ModelInfo) -> None:
    found = JobEvents(model, NOTHING)
    found.of(step("in_progress"))
    (event,) = found.of(step("in_progress", done_seconds=4.5))
    assert parsed(event) == (
        "",
        {"type": "transcription.progress", "id": "tr_1", "done_seconds": 4.5, "total_seconds": 10.0},
    )
    assert found.of(step("in_progress", done_seconds=4.5)) == []


@pytest.mark.parametrize("state", ["failed", "cancelled", "expired"])
def test_every_end_is_the_last_event(model: ModelInfo, state: str) -> None:
    (event,) = JobEvents(model, NOTHING).of(step(state, error=ABANDONED if state == "failed" else None))
    event_id, data = parsed(event)
    assert (event_id, data["type"], data["id"]) == (END, f"transcription.{state}", "tr_1")
    assert data.get("error", {}).get("code") == ("job_abandoned" if state == "failed" else None)


async def submitted(client: httpx.AsyncClient) -> str:
    answer = await client.post(
        TRANSCRIPTIONS, files=speech(10), data={"model": "base"}, headers={"Prefer": "respond-async"}
    )
    return answer.headers["location"]


async def read(client: httpx.AsyncClient, path: str, last: str | None = None) -> tuple[int, list[tuple[str, str]]]:
    """The status and the events, but for those of progress, which are as many as there is time for."""
    headers = {} if last is None else {"Last-Event-ID": last}
    answer = await client.get(f"{path}/events", headers=headers)
    sent = [shown(event) for event in answer.content.split(b"\n\n") if event.startswith((b"id", b"data"))]
    return answer.status_code, [one for one in sent if one[1] != "transcription.progress"]


async def test_a_job_is_followed_to_its_end_and_replayed_after_it(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve()
    path = await submitted(client)
    await engine.until_submitted()
    following_it = asyncio.create_task(read(client, path))
    engine.emit(SEGMENT)
    engine.held[0].set_result(SPOKEN)
    status, live = await following_it
    assert (status, live[-3:]) == (
        200,
        [("1.1", "Ask not."), ("", "transcript.text.done"), (END, "transcription.completed")],
    )
    replayed = [("1.0", "transcription.in_progress"), *live[-3:]]
    assert await read(client, path) == (200, replayed)
    assert await read(client, path, "1.1") == (200, replayed[2:])
    assert await read(client, path, END) == (204, [])


async def test_a_cancelled_job_ends_its_events(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve()
    path = await submitted(client)
    await engine.until_submitted()
    following_it = asyncio.create_task(read(client, path))
    await client.post(f"{path}/cancel")
    assert (await following_it)[1][-1] == (END, "transcription.cancelled")


async def test_a_deleted_job_ends_its_events_without_a_last_one(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve()
    path = await submitted(client)
    await engine.until_submitted()
    following_it = asyncio.create_task(read(client, path))
    while not engine.held[0].cancelled():
        await client.delete(path)
        await asyncio.sleep(0.01)
    assert (END, "transcription.cancelled") not in (await following_it)[1]
    assert (await read(client, path))[0] == 410


async def test_jobs_of_others_and_too_many_streams_are_refused(
    serve: Serve, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = serve()
    path = await submitted(client)
    assert (await client.get(f"{TRANSCRIPTIONS}/tr_unknown/events")).status_code == 404
    assert (await client.get(f"{path}/events", headers={"Last-Event-ID": "a" * 65})).status_code == 400
    for bound, status in (("MOST_OF_ONE_CLIENT", 429), ("MOST_AT_ONCE", 503)):
        with monkeypatch.context() as changed:
            changed.setattr(following, bound, 0)
            assert (await client.get(f"{path}/events")).status_code == status
    assert (await client.get(f"{path}/events")).status_code == 200


@pytest.mark.parametrize(("seconds", "comes"), [(-1.0, True), (1e6, False)])
async def test_a_comment_keeps_a_silent_connection_open(
    model: ModelInfo, monkeypatch: pytest.MonkeyPatch, seconds: float, comes: bool
) -> None:
    monkeypatch.setattr(rendering, "KEEP_ALIVE_SECONDS", seconds)

    async def steps() -> AsyncGenerator[FollowedJob]:
        for state in ("queued", "queued", "cancelled"):
            yield step(state)

    sent = [one async for one in job_events(steps(), model, NOTHING)]
    assert (KEEP_ALIVE in sent) == comes
    assert [shown(one)[1] for one in sent if one != KEEP_ALIVE] == ["transcription.queued", "transcription.cancelled"]
