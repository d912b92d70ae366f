"""Real recordings with tiny.en: the two sides of a call, and speech among silence, noise and tones."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, Final

import httpx
import numpy as np
import pytest

from benchmarks.parity import compare, run, sounds, upstream
from benchmarks.parity.corpus import PLAIN, ParityCase
from testbed.inputs import weights
from tests.fakes.engine import ENGLISH
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.batching.scheduler import build_scheduler
from whisper_runtime.engine.batching.worker import EngineWorker
from whisper_runtime.engine.interface import Samples, State
from whisper_runtime.engine.model import load
from whisper_runtime.engine.speech.spans import SpeechDetection, clips
from whisper_runtime.http.app import create_app
from whisper_runtime.media.channels import decode_channels
from whisper_runtime.media.decode import decode
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.service.audio_loading import MediaDecoder
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.parts import RuntimeParts, parts_of
from whisper_runtime.service.speech_detector import SpeechDetector

pytestmark = pytest.mark.slow

BY_WORD: Final = {"model": "tiny.en", "response_format": "verbose_json", "timestamp_granularities[]": "word"}


@pytest.fixture(scope="module")
def parts() -> Iterator[RuntimeParts]:
    config = RuntimeConfig(model="tiny.en")
    proven: list[bool] = []
    metrics, path = Metrics("tiny.en"), weights.path("tiny.en")
    engine = EngineWorker(
        lambda: build_scheduler(load.load(path, "cpu", "float32"), metrics.engine), lambda _: proven.append(True)
    )
    engine.start()
    media = MediaDecoder(decode, decode_channels)
    yield parts_of(config, engine, media, ServedModel(config, ENGLISH), metrics)
    engine.stop()
    assert (proven, engine.state) == ([True], State.STOPPED)


@pytest.fixture
async def client(parts: RuntimeParts) -> AsyncIterator[httpx.AsyncClient]:
    parts.transcriber.engine.submit(sounds.silence(1), PLAIN).result()  # waits until the model is loaded
    transport = httpx.ASGITransport(app=create_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://whisper") as opened:
        yield opened


def wav(*channels: Samples) -> bytes:
    length = max(map(len, channels))
    padded = [np.pad(channel, (0, length - len(channel))) for channel in channels]
    file = io.BytesIO()
    with wave.open(file, "wb") as target:
        target.setnchannels(len(channels))
        target.setsampwidth(2)
        target.setframerate(sounds.SAMPLE_RATE)
        target.writeframes((np.stack(padded, axis=1) * 32767).astype(np.int16).tobytes())
    return file.getvalue()


async def transcribed(client: httpx.AsyncClient, content: bytes, **fields: str) -> Any:
    answer = await client.post("/v1/audio/transcriptions", files={"file": content}, data=BY_WORD | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def plain(words: list[dict[str, Any]]) -> list[str]:
    return [re.sub(r"[^a-z]", "", one["word"].lower()) for one in words]


def encoded(parts: RuntimeParts) -> float:
    """Windows, or groups of windows, that the model has read."""
    stage = {"stage": "encode"}
    return parts.metrics.registry.get_sample_value("whisper_stage_duration_seconds_count", stage) or 0


async def test_each_side_of_a_call_has_the_words_and_times_that_it_has_alone(client: httpx.AsyncClient) -> None:
    sides, begins = [sounds.voice("jfk"), sounds.voice("0880")], [2.0, 15.0]
    call = wav(*(sounds.join(sounds.silence(begin), side) for begin, side in zip(begins, sides, strict=True)))
    found = await transcribed(client, call, channels="separate")
    for number, (side, begin) in enumerate(zip(sides, begins, strict=True)):
        alone = (await transcribed(client, wav(side)))["words"]
        words = [one for one in found["words"] if one["channel"] == number]
        assert plain(words) == plain(alone)
        late = [one["start"] - begin - other["start"] for one, other in zip(words, alone, strict=True)]
        assert max(map(abs, late[1:])) < 0.3
    assert found["usage"]["seconds"] == pytest.approx(2 * found["duration"], abs=1)
    starts = [one["start"] for one in found["words"]]
    assert starts == sorted(starts)


@pytest.mark.parametrize("fields", [{"vad_filter": "true"}, {"chunking_strategy": "auto"}, {"channels": "separate"}])
@pytest.mark.parametrize("kind", ["silence", "hiss", "tones"])
async def test_what_is_no_speech_costs_no_window_and_invents_no_word(
    client: httpx.AsyncClient, parts: RuntimeParts, kind: str, fields: dict[str, str]
) -> None:
    seconds = np.arange(60 * sounds.SAMPLE_RATE) / sounds.SAMPLE_RATE
    chord = [220 * 2 ** (step / 12) for step in (0, 4, 7, 12)]
    beat = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * seconds))
    tones = (0.1 * beat * sum(np.sin(2 * np.pi * pitch * seconds) for pitch in chord)).astype(np.float32)
    sound = {"silence": sounds.silence(60), "hiss": sounds.hiss(60, 0.05), "tones": tones}[kind]
    before = encoded(parts)
    found = await transcribed(client, wav(sound), **fields)
    assert (found["text"], found["words"], found["duration"]) == ("", [], 60)
    assert encoded(parts) == before


async def test_words_and_times_are_those_of_the_recording(client: httpx.AsyncClient) -> None:
    speech = sounds.voice("jfk")
    alone = (await transcribed(client, wav(speech)))["words"]
    around = sounds.join(sounds.hiss(45, 0.01), speech, sounds.hiss(30, 0.01))
    found = (await transcribed(client, wav(around), vad_filter="true"))["words"]
    assert plain(found) == plain(alone)
    late = [one["start"] - 45 - other["start"] for one, other in zip(found, alone, strict=True)]
    assert max(map(abs, late[1:])) < 0.3


async def test_the_words_are_those_of_whisper_transcribe_with_the_same_clips() -> None:
    samples = sounds.join(sounds.silence(20), sounds.voice("jfk"), sounds.silence(40), sounds.voice("0870"))
    found = clips(await SpeechDetector(1).spans(samples, SpeechDetection()), SpeechDetection())
    assert len(found) == 2
    options = replace(PLAIN, clip_timestamps=tuple(second for clip in found for second in clip))
    case = ParityCase("speech", "tiny.en", samples, options)
    assert compare.differences(run.alone(run.scheduler("tiny.en"), case), upstream.result(case)) == []
