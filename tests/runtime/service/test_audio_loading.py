"""What has no speech does not reach the model; each channel is a recording of its own, and counts as one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from benchmarks.parity import sounds
from tests.fakes.engine import SPOKEN, FakeEngine
from tests.fakes.parts import fake_parts
from tests.runtime.conftest import PartsOf, Start, speech
from whisper_runtime.engine.interface import OutOfMemory
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.metrics.served import Metrics

TRANSCRIPTIONS: Final = "/v1/audio/transcriptions"
SEPARATE: Final = {"model": "base", "channels": "separate", "vad_filter": "false"}
"""Channels as they are: the fake decoder's samples are no speech."""


def call(*channels: str) -> dict[str, tuple[str, bytes, str]]:
    """`speech 10`, `silence 10` …: a channel each."""
    return {"file": ("call.wav", " ".join(channels).encode(), "audio/wav")}


def encoded(metrics: Metrics, stage: str) -> float:
    return metrics.registry.get_sample_value("whisper_stage_duration_seconds_count", {"stage": stage}) or 0


@pytest.mark.parametrize("path", ["/transcribe", TRANSCRIPTIONS, "/v1/audio/translations"])
async def test_without_speech_the_model_is_not_asked(start: Start, engine: FakeEngine, path: str) -> None:
    data = {"vad_filter": "true"} | ({} if path == "/transcribe" else {"model": "base"})
    answer = await start().post(path, files=speech(60), data=data)
    assert (answer.status_code, answer.json()["text"], engine.asked) == (200, "", [])


def spared(metrics: Metrics) -> float:
    return metrics.registry.get_sample_value("whisper_spared_windows_total") or 0


async def test_the_windows_that_it_is_spared_are_counted(parts_of: PartsOf, start: Start) -> None:
    parts = parts_of()
    client = start(parts)
    await client.post("/transcribe", files=speech(60))
    assert spared(parts.metrics) == 0
    await client.post("/transcribe", files=speech(61), data={"vad_filter": "true"})
    assert spared(parts.metrics) == 3
    silent_side = {"channels": "separate", "vad_filter": "false"}
    await client.post("/transcribe", files=call("silence 45", "speech 10"), data=silent_side)
    assert spared(parts.metrics) == 3 + 2


async def test_silence_has_the_language_that_was_asked_for(start: Start) -> None:
    data = {"model": "base", "vad_filter": "true", "response_format": "verbose_json"}
    body = (await start().post(TRANSCRIPTIONS, files=speech(9), data=data | {"language": "de"})).json()
    assert (body["language"], body["duration"], body["segments"]) == ("german", 9, [])
    assert (await start().post(TRANSCRIPTIONS, files=speech(9), data=data)).json()["language"] == "english"


async def test_silence_ends_a_stream_at_once(start: Start) -> None:
    data = {"model": "base", "vad_filter": "true", "stream": "true"}
    answer = await start().post(TRANSCRIPTIONS, files=speech(9), data=data)
    assert answer.text.count("data: ") == 1
    assert '"text":""' in answer.text


@pytest.mark.slow
async def test_the_model_is_asked_for_speech_alone(engine: FakeEngine, start: Start) -> None:
    async def decode(media: Any, **_: Any) -> DecodedAudio:
        return DecodedAudio(sounds.join(sounds.silence(20), sounds.voice("jfk"), sounds.silence(40)), None)

    parts = fake_parts(engine, decode)
    await start(parts).post("/transcribe", files=speech(), data={"vad_filter": "true"})
    begin, end = engine.asked[0].clip_timestamps
    assert (begin, end) == (pytest.approx(20, abs=0.5), pytest.approx(31, abs=1))
    assert engine.asked[0].language_at == begin
    assert encoded(parts.metrics, "speech") == 1


async def test_by_default_all_of_it_is_transcribed(engine: FakeEngine, parts_of: PartsOf, start: Start) -> None:
    parts = parts_of()
    await start(parts).post("/transcribe", files=speech(60))
    assert (engine.asked[0].clip_timestamps, engine.asked[0].language_at) == ((), 0)
    assert encoded(parts.metrics, "speech") == 0


async def test_each_channel_is_a_recording(start: Start, engine: FakeEngine) -> None:
    data = SEPARATE | {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]}
    body = (await start().post(TRANSCRIPTIONS, files=call("speech 10", "speech 10"), data=data)).json()
    assert engine.num_samples == [160_000, 160_000]
    assert body["text"] == "Ask not.\nAsk not."
    assert [(one["id"], one["channel"]) for one in body["segments"]] == [(0, 0), (1, 1)]
    assert [(one["word"], one["channel"]) for one in body["words"]] == [
        ("Ask", 0),
        ("Ask", 1),
        ("not.", 0),
        ("not.", 1),
    ]


async def test_a_silent_channel_costs_nothing_and_says_nothing(start: Start, engine: FakeEngine) -> None:
    files = call("silence 10", "speech 10")
    body = (await start().post("/transcribe", files=files, data={"channels": "separate", "vad_filter": "false"})).json()
    assert (engine.num_samples, body["text"]) == ([160_000], "Ask not.")
    assert [one["channel"] for one in body["segments"]] == [1]


async def test_mixed_channels_have_no_number(start: Start) -> None:
    data = {"model": "base", "response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]}
    body = (await start().post(TRANSCRIPTIONS, files=speech(), data=data)).json()
    assert not any("channel" in one for one in body["segments"] + body["words"])
    assert "channel" not in (await start().post("/transcribe", files=speech())).json()["segments"][0]


@pytest.mark.parametrize(
    ("response_format", "wanted"),
    [
        ("text", "Ask not.\nAsk not.\n"),
        (
            "srt",
            "1\n00:00:00,000 --> 00:00:00,042\nChannel 0: Ask not.\n\n"
            "2\n00:00:00,042 --> 00:00:02,500\nChannel 1: Ask not.\n\n",
        ),
        (
            "vtt",
            "WEBVTT\n\n00:00.000 --> 00:00.042\n<v Channel 0>Ask not.\n\n"
            "00:00.042 --> 00:02.500\n<v Channel 1>Ask not.\n\n",
        ),
    ],
)
async def test_formats_name_the_channel(start: Start, response_format: str, wanted: str) -> None:
    data = SEPARATE | {"response_format": response_format}
    answer = await start().post(TRANSCRIPTIONS, files=call("speech 10", "speech 10"), data=data)
    assert answer.text == wanted


async def test_a_cue_of_words_is_of_one_channel(start: Start) -> None:
    data = SEPARATE | {"response_format": "vtt", "max_words_per_line": "1"}
    answer = await start().post(TRANSCRIPTIONS, files=call("speech 10", "speech 10"), data=data)
    cues = [line for line in answer.text.splitlines() if line.startswith("<v")]
    assert cues == ["<v Channel 0>Ask", "<v Channel 1>Ask", "<v Channel 0>not.", "<v Channel 1>not."]


async def test_each_channel_counts_for_usage_metrics_and_rates(
    engine: FakeEngine, parts_of: PartsOf, start: Start
) -> None:
    parts = parts_of(audio_minutes_per_hour=1)
    engine.answer = replace(SPOKEN, duration=10)
    answer = await start(parts).post(TRANSCRIPTIONS, files=call("speech 10", "speech 10"), data=SEPARATE)
    assert answer.json()["usage"] == {"type": "duration", "seconds": 20}
    assert int(answer.headers["x-ratelimit-remaining-audio-seconds"]) == 40
    assert parts.metrics.registry.get_sample_value("whisper_audio_duration_seconds_sum", {"model": "base"}) == 20


async def test_all_channels_count_for_the_longest_recording(start: Start) -> None:
    files = call("speech 60", "speech 60")
    answer = await start(max_audio_seconds=100).post(TRANSCRIPTIONS, files=files, data=SEPARATE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "audio_too_long")


async def test_where_one_channel_fails_so_does_the_request(start: Start, engine: FakeEngine) -> None:
    engine.answer = OutOfMemory()
    answer = await start().post(TRANSCRIPTIONS, files=call("speech 10", "speech 10"), data=SEPARATE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "out_of_memory")
