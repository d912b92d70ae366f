"""A transcription ends when its task or its time does, and gives its place in the queue and its disk back."""

from __future__ import annotations

import asyncio
import gc
import io
import weakref
from typing import IO, Any

import pytest

from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine, fake_decode
from tests.fakes.parts import fake_parts
from tests.runtime.conftest import Start, speech
from whisper_runtime.engine.interface import OutOfMemory, Samples
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.errors import HttpError
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.service.parts import RuntimeParts
from whisper_runtime.service.transcribe import MediaFile, SegmentStream


async def transcribed(parts: RuntimeParts, content: bytes, stream: SegmentStream | None = None) -> Transcription:
    """The transcription of a file of alice's."""
    with parts.admission.at_the_door("alice", len(content)) as admitted:
        return await parts.transcriber.transcribe(MediaFile(io.BytesIO(content)), admitted, Options(), stream)


async def test_no_answer_in_time_is_504_and_not_repeated(start: Start, engine: FakeEngine) -> None:
    engine.answer = None
    answer = await start(request_timeout_seconds=1).post("/transcribe", files=speech())
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "request_timeout")
    assert answer.headers["x-should-retry"] == "false"
    assert [future.cancelled() for future in engine.held] == [True]


async def test_the_engine_stopping_is_503(start: Start, engine: FakeEngine) -> None:
    engine.answer = None
    request = asyncio.create_task(start().post("/transcribe", files=speech()))
    await engine.until_submitted()
    engine.held[0].cancel()
    answer = await request
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "shutting_down")


async def test_a_device_without_memory_is_503_and_worth_a_retry(start: Start, engine: FakeEngine) -> None:
    engine.answer = OutOfMemory()
    answer = await start().post("/transcribe", files=speech())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "out_of_memory")
    assert answer.headers["retry-after"] == "10"
    assert "x-should-retry" not in answer.headers


async def test_health_answers_while_a_file_is_transcribed(start: Start, engine: FakeEngine) -> None:
    engine.answer = None
    client = start()
    request = asyncio.create_task(client.post("/transcribe", files=speech()))
    await engine.until_submitted()
    assert (await client.get("/health")).status_code == 200
    engine.held[0].cancel()
    await request


@pytest.mark.parametrize(("ends", "status"), [(None, 504), (OutOfMemory(), 503)])
async def test_a_recording_without_answer_leaves_the_disk_at_once(
    start: Start, engine: FakeEngine, ends: Exception | None, status: int
) -> None:
    """And not when Python next collects garbage: hours of samples are on it, which no quota counts any more."""
    decoded: list[weakref.ref[Samples]] = []

    async def decode(media: IO[bytes], **wishes: Any) -> DecodedAudio:
        found = await fake_decode(media, **wishes)
        decoded.append(weakref.ref(found.samples))
        return found

    engine.answer = ends
    gc.disable()
    try:
        parts = fake_parts(engine, decode, request_timeout_seconds=1)
        answer = await start(parts).post("/transcribe", files=speech())
        assert (answer.status_code, decoded[0]()) == (status, None)
    finally:
        gc.enable()


async def test_cancelling_the_task_frees_its_place_and_its_disk(engine: FakeEngine) -> None:
    engine.answer = None
    parts = fake_parts(engine)
    work = asyncio.create_task(transcribed(parts, b"speech 5"))
    await engine.until_submitted()
    assert parts.admission.disk.used == 5 * 16_000 * 4
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert engine.held[0].cancelled()
    assert (parts.admission.disk.used, parts.admission.shares.oldest_wait) == (0, 0)


async def test_the_audio_counts_for_the_client(engine: FakeEngine) -> None:
    parts = fake_parts(engine, audio_minutes_per_hour=1)
    await transcribed(parts, b"speech 20")
    assert parts.admission.rates.headers("alice")["x-ratelimit-remaining-audio-seconds"] == "40"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"", 400, "empty_file"), (b"<html>", 400, "not_audio"), (b"speech 61", 413, "audio_too_long")],
)
async def test_a_file_that_cannot_be_taken_leaves_nothing_behind(
    engine: FakeEngine, content: bytes, status: int, code: str
) -> None:
    parts = fake_parts(engine, max_audio_seconds=60)
    with pytest.raises(HttpError) as error:
        await transcribed(parts, content)
    assert (error.value.status_code, error.value.body["code"], error.value.body["param"]) == (status, code, "file")
    assert (parts.admission.disk.used, engine.held) == (0, [])


async def test_segments_come_as_they_become_final_and_then_an_end(engine: FakeEngine) -> None:
    engine.answer, stream = None, SegmentStream()
    work = asyncio.create_task(transcribed(fake_parts(engine), b"speech", stream))
    work.add_done_callback(stream.end)
    await stream.accepted.wait()
    engine.emit(SEGMENT)
    assert await stream.next_window() == (SEGMENT,)
    engine.held[0].set_result(SPOKEN)
    assert await stream.next_window() is None
    assert await work == SPOKEN


def test_an_engine_that_emits_after_the_servers_end_is_not_disturbed() -> None:
    async def stream() -> SegmentStream:
        return SegmentStream()

    asyncio.run(stream()).on_segments([SEGMENT])
