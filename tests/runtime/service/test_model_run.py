"""One run of the model is over all channels of a recording; what is not needed any more is cancelled."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.engine import SPOKEN, FakeEngine
from whisper_runtime.engine.interface import OutOfMemory
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.errors import HttpError
from whisper_runtime.service.audio_loading import LoadedAudio
from whisper_runtime.service.model_run import LANGUAGE_OF_SILENCE, run_model


def recording(seconds: float, clips: tuple[float, ...] | None = None) -> LoadedAudio:
    return LoadedAudio(np.zeros(int(seconds * 16_000), dtype=np.float32), clips)


async def run(
    engine: FakeEngine, *loaded: LoadedAudio, progress: list[float] | None = None, options: Options | None = None
) -> Transcription:
    return await run_model(
        engine,
        loaded,
        options or Options(),
        separate_channels=len(loaded) > 1,
        on_segments=lambda segments: None,
        on_progress=None if progress is None else progress.append,
        on_begun=lambda: None,
        client="key ann",
        is_background=lambda: True,
    )


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


async def test_a_recording_is_submitted_for_its_client(engine: FakeEngine) -> None:
    assert await run(engine, recording(2.5)) == SPOKEN
    assert (engine.num_samples, engine.clients, engine.in_background) == ([40_000], ["key ann"], [True])


async def test_its_clips_are_what_is_transcribed(engine: FakeEngine) -> None:
    await run(engine, recording(10, (2.0, 4.0)))
    assert engine.asked == [Options(clip_timestamps=(2.0, 4.0), language_at=2.0)]


@pytest.mark.parametrize(("language", "told"), [(None, LANGUAGE_OF_SILENCE), ("de", "de")])
async def test_what_has_no_speech_asks_no_engine_and_is_done_with_at_once(
    engine: FakeEngine, language: str | None, told: str
) -> None:
    progress = list[float]()
    found = await run(engine, recording(5, ()), progress=progress, options=Options(language=language))
    assert (found.text, found.language, found.duration, engine.asked) == ("", told, 5.0, [])
    assert progress == [5.0]


async def test_progress_is_that_of_all_channels(engine: FakeEngine) -> None:
    engine.answer, progress = None, list[float]()
    task = asyncio.create_task(run(engine, recording(10), recording(10, ()), progress=progress))
    await engine.until_submitted()
    engine.go_on(4.0)
    engine.go_on(6.0)
    engine.held[0].set_result(replace(SPOKEN, duration=10.0))
    await task
    assert progress == [10.0, 14.0, 16.0]


async def test_where_one_channel_fails_the_others_are_cancelled(engine: FakeEngine) -> None:
    engine.answer = None
    task = asyncio.create_task(run(engine, recording(1), recording(2)))
    await engine.until_submitted(2)
    engine.held[0].set_exception(OutOfMemory())
    with pytest.raises(HttpError) as refused:
        await task
    assert (refused.value.status_code, refused.value.body["code"]) == (503, "out_of_memory")
    assert engine.held[1].cancelled()


async def test_who_cancels_it_frees_the_rows(engine: FakeEngine) -> None:
    engine.answer = None
    task = asyncio.create_task(run(engine, recording(1)))
    await engine.until_submitted()
    task.cancel()
    await engine.until_cancelled()


async def test_an_engine_that_stops_says_so(engine: FakeEngine) -> None:
    engine.answer = None
    task = asyncio.create_task(run(engine, recording(1)))
    await engine.until_submitted()
    engine.held[0].cancel()
    with pytest.raises(HttpError) as refused:
        await task
    assert (refused.value.status_code, refused.value.body["code"]) == (503, "shutting_down")
