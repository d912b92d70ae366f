"""`POST /transcribe`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.engine import ENGLISH, SEGMENT, SPOKEN, TURBO, FakeEngine
from tests.runtime.conftest import Start, speech
from whisper_runtime.engine.interface import Abilities
from whisper_runtime.engine.transcription import Word


def events(body: str) -> list[dict[str, Any]]:
    return [json.loads(one.removeprefix("data: ")) for one in body.strip().split("\n\n")]


async def test_answers_text_language_segments_duration(start: Start) -> None:
    answer = await start().post("/transcribe", files=speech())
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"text", "language", "segments", "duration"}
    assert (body["text"], body["language"], body["duration"]) == ("Ask not.", "en", 2.5)
    assert [(segment["start"], segment["end"]) for segment in body["segments"]] == [(0.0, 2.5)]


async def test_takes_language_and_task(start: Start, engine: FakeEngine) -> None:
    await start().post("/transcribe", files=speech(), data={"language": "de", "task": "translate"})
    assert (engine.asked[0].language, engine.asked[0].task) == ("de", "translate")


async def test_a_stream_has_the_segments_of_each_window_and_then_the_whole(start: Start, engine: FakeEngine) -> None:
    first, second = replace(SEGMENT, words=(Word(" Ask", 0.0, 1.0, 0.9),)), replace(SEGMENT, id=1, end=9.0, words=())
    engine.answer = replace(SPOKEN, duration=5.0, segments=(first, second))
    fields = {"timestamp_granularities[]": "word"}
    answer = await start().post("/transcribe", files=speech(), data={"stream": "true", **fields})
    assert answer.headers["content-type"].startswith("text/event-stream")
    one, two, last = events(answer.text)
    assert [one["type"], two["type"], last["type"]] == [*["transcript.segments.delta"] * 2, "transcript.done"]
    assert (one["words"], two["words"]) == ([{"word": "Ask", "start": 0.0, "end": 1.0}], [])
    assert two["segments"][0]["end"] == 9.0  # the file's length may not be known yet
    whole = (await start().post("/transcribe", files=speech(), data=fields)).json()
    assert last == {"type": "transcript.done", **whole}


@pytest.mark.parametrize("name", ["formats[]", "formats"])
async def test_subtitles_come_beside_the_segments(start: Start, name: str) -> None:
    client = start()
    body = (await client.post("/transcribe", files=speech(), data={name: ["srt", "vtt"]})).json()
    for wanted in ("srt", "vtt"):
        fields = {"model": "base", "response_format": wanted}
        assert body[wanted] == (await client.post("/v1/audio/transcriptions", files=speech(), data=fields)).text
    assert "vtt" not in (await client.post("/transcribe", files=speech(), data={name: "srt"})).json()


async def test_channels_are_not_streamed(start: Start) -> None:
    answer = await start().post("/transcribe", files=speech(), data={"stream": "true", "channels": "separate"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "channels")


async def test_an_unknown_task_is_refused(start: Start) -> None:
    answer = await start().post("/transcribe", files=speech(), data={"task": "summarize"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "`task` is 'summarize': input should be 'transcribe' or 'translate'."


async def test_a_misspelt_field_is_refused(start: Start) -> None:
    answer = await start().post("/transcribe", files=speech(), data={"tasks": "translate"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "tasks")


@pytest.mark.parametrize(("model", "abilities"), [("turbo", TURBO), ("base.en", ENGLISH)])
async def test_a_model_that_cannot_translate_says_so_in_one_sentence(
    start: Start, engine: FakeEngine, model: str, abilities: Abilities
) -> None:
    engine.abilities = abilities
    answer = await start(model=model).post("/transcribe", files=speech(), data={"task": "translate"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "task")
    assert answer.json()["error"]["message"] == (
        f"The model `{model}` was not trained to translate: use a multilingual model such as `large-v3`, or transcribe."
    )


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"<html>", 400, "not_audio"),
        (b"", 400, "empty_file"),
        (b"speech 101", 413, "audio_too_long"),
    ],
)
async def test_a_bad_file_is_refused_and_the_next_one_served(
    start: Start, content: bytes, status: int, code: str
) -> None:
    client = start(max_audio_seconds=100)
    answer = await client.post("/transcribe", files={"file": ("a.wav", content)})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, "file")
    assert set(error) == {"message", "type", "param", "code"}
    assert (await client.post("/transcribe", files=speech())).status_code == 200


async def test_takes_what_a_transcription_takes(start: Start, engine: FakeEngine) -> None:
    fields = {"timestamp_granularities[]": "word", "prompt": "Ask", "temperature": "0.4", "beam_size": "2", "seed": "7"}
    body = (await start().post("/transcribe", files=speech(), data=fields)).json()
    asked = engine.asked[0]
    assert (asked.prompt, asked.temperatures, asked.beam_size, asked.seed) == ("Ask", (0.4,), 2, 7)
    assert asked.word_timestamps
    assert [word["word"] for word in body["words"]] == ["Ask", "not."]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"include[]": "logprobs"}, "include[]"),
        ({"timestamp_granularities[]": "word", "task": "translate"}, "timestamp_granularities[]"),
        ({"hallucination_silence_threshold": "2"}, "hallucination_silence_threshold"),
        ({"response_format": "srt"}, "response_format"),
    ],
)
async def test_what_it_does_not_give_is_refused_by_its_field(start: Start, fields: dict[str, str], param: str) -> None:
    answer = await start().post("/transcribe", files=speech(), data=fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
