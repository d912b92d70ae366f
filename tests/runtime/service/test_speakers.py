"""Speakers are looked for beside the model, and both end together."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.diarizer import SECONDS, FakeDiarizer
from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine
from tests.fakes.parts import fake_parts
from whisper_runtime.diarization.interface import SpeakerBounds, UnusableReference
from whisper_runtime.engine.interface import OnProgress
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.errors import HttpError
from whisper_runtime.service.audio_loading import AudioOptions, LoadedAudio, MediaFile
from whisper_runtime.service.parts import RuntimeParts
from whisper_runtime.service.speaker_options import COST, SpeakerOptions, SpeakerReference
from whisper_runtime.service.speakers import with_their_speakers

ASKED = AudioOptions(speakers=SpeakerOptions(SpeakerBounds(1, 4), (SpeakerReference("Ada", "0", b"speech 3"),)))


async def transcribed(
    parts: RuntimeParts, audio_options: AudioOptions = ASKED, content: bytes = b"speech 2.5"
) -> Transcription:
    with parts.admission.at_the_door("ann", 8) as admitted:
        file = MediaFile(io.BytesIO(content))
        return await parts.transcriber.transcribe(file, admitted, Options(), audio_options=audio_options)


async def test_each_word_has_its_speaker() -> None:
    diarizer = FakeDiarizer()
    found = await transcribed(fake_parts(FakeEngine(), diarizer=diarizer))
    assert [word.speaker for segment in found.segments for word in segment.words] == ["A", "B"]
    assert diarizer.asked == [(2.5, SpeakerBounds(1, 4), [("Ada", 3.0)])]


async def test_who_does_not_ask_has_none() -> None:
    diarizer = FakeDiarizer()
    assert await transcribed(fake_parts(FakeEngine(), diarizer=diarizer), AudioOptions()) == SPOKEN
    assert diarizer.asked == []


async def test_a_cancelled_request_ends_the_search_before_it_lets_go_of_its_place() -> None:
    diarizer, engine = FakeDiarizer(None), FakeEngine()
    parts = fake_parts(engine, diarizer=diarizer)
    engine.answer = None
    running = asyncio.create_task(transcribed(parts))
    await engine.until_submitted()
    assert await asyncio.to_thread(diarizer.begun.wait, SECONDS)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert diarizer.ended.is_set()
    assert engine.held[0].cancelled()
    assert parts.admission.disk.used == 0


async def test_a_request_whose_time_is_over_ends_the_search() -> None:
    diarizer = FakeDiarizer(None)
    parts = fake_parts(FakeEngine(), diarizer=diarizer, request_timeout_seconds=1)
    with pytest.raises(HttpError) as raised:
        await transcribed(parts)
    assert raised.value.status_code == 504
    assert diarizer.ended.is_set()
    assert parts.admission.disk.used == 0


async def test_a_search_that_waits_for_its_turn_is_cancelled_too() -> None:
    diarizer = FakeDiarizer(None)
    parts = fake_parts(FakeEngine(), diarizer=diarizer)
    waiting = [asyncio.create_task(transcribed(parts)) for _ in range(8)]
    assert await asyncio.to_thread(diarizer.begun.wait, SECONDS)
    for task in waiting:
        task.cancel()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended)
    assert parts.admission.disk.used == 0


async def test_a_model_that_fails_ends_the_search() -> None:
    diarizer, engine = FakeDiarizer(None), FakeEngine()
    engine.answer = RuntimeError("tensor a")
    with pytest.raises(RuntimeError, match="tensor a"):
        await transcribed(fake_parts(engine, diarizer=diarizer))
    assert not diarizer.begun.is_set() or diarizer.ended.is_set()


async def test_a_reference_of_no_use_ends_the_models_work_and_is_named() -> None:
    engine = FakeEngine()
    engine.answer = None
    diarizer = FakeDiarizer(UnusableReference("the reference of 'Ada' holds two speakers"))
    with pytest.raises(HttpError, match="'Ada' holds two speakers") as raised:
        await transcribed(fake_parts(engine, diarizer=diarizer))
    assert (raised.value.status_code, raised.value.body["param"]) == (400, "known_speaker_references[]")
    assert all(future.cancelled() for future in engine.held)


async def test_the_search_is_a_stage_of_the_request() -> None:
    parts = fake_parts(FakeEngine(), diarizer=FakeDiarizer())
    await transcribed(parts)
    count = parts.metrics.registry.get_sample_value("whisper_stage_duration_seconds_count", {"stage": "speakers"})
    assert count == 1


async def test_the_slower_of_model_and_search_says_how_far_a_recording_is() -> None:
    diarizer, said = FakeDiarizer(), list[float]()
    diarizer.progress_seconds = 1.0
    speakers = fake_parts(FakeEngine(), diarizer=diarizer).speakers

    async def run(*, on_progress: OnProgress | None) -> Transcription:
        assert on_progress is not None
        on_progress(2.5)
        return SPOKEN

    recording = [LoadedAudio(np.zeros(40_000, np.float32), None)]
    await with_their_speakers(run, recording, ASKED, speakers, (), said.append)
    assert sorted(said) == [0.0, 1.0]


async def test_a_search_that_waits_for_a_thread_does_so_as_a_stage_of_its_own() -> None:
    parts = fake_parts(FakeEngine(), diarizer=FakeDiarizer())
    await transcribed(parts)
    waited = parts.metrics.registry.get_sample_value(
        "whisper_stage_duration_seconds_count", {"stage": "speakers_queue"}
    )
    assert waited == 1


async def test_speakers_are_charged_for_what_they_cost() -> None:
    parts = fake_parts(FakeEngine(), diarizer=FakeDiarizer(), audio_minutes_per_hour=20)
    left = list[float]()
    for audio_options in (AudioOptions(), ASKED):
        before = parts.admission.rates.headers("ann")["x-ratelimit-remaining-audio-seconds"]
        await transcribed(parts, audio_options, b"speech 200")
        after = parts.admission.rates.headers("ann")["x-ratelimit-remaining-audio-seconds"]
        left.append(float(before) - float(after))
    assert left == pytest.approx([200, 200 * (1 + COST)], abs=2)


async def test_a_recording_without_text_has_no_speaker() -> None:
    engine = FakeEngine()
    engine.answer = replace(SPOKEN, text="", segments=(replace(SEGMENT, text="", words=()),))
    found = await transcribed(fake_parts(engine, diarizer=FakeDiarizer([])))
    assert found.text == ""
