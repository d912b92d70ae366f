"""`response_format=diarized_json`: the same words, with whose they are."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from tests.fakes.diarizer import FakeDiarizer
from tests.fakes.engine import FakeEngine
from tests.fakes.parts import fake_parts
from tests.runtime.conftest import Start, speech
from whisper_runtime.diarization.interface import SpeakerBounds, SpeakerTurn, UnusableReference
from whisper_runtime.service.parts import RuntimeParts

PATH = "/v1/audio/transcriptions"
FIELDS = {"model": "gpt-4o-transcribe-diarize", "response_format": "diarized_json"}
VOICE = "data:audio/wav;base64," + base64.b64encode(b"speech 3").decode()
KNOWN = {"known_speaker_names[]": "Ada", "known_speaker_references[]": VOICE}
SEGMENTS = [
    {"type": "transcript.text.segment", "id": "seg_0", "start": 0.0, "end": 1.0, "speaker": "A", "text": " Ask"},
    {"type": "transcript.text.segment", "id": "seg_1", "start": 1.0, "end": 2.5, "speaker": "B", "text": " not."},
]
USAGE = {"type": "duration", "seconds": 3}
UNUSABLE = "`known_speaker_references[]` cannot be used: the reference of 'Ada' holds no speech."


@pytest.fixture
def diarizer() -> FakeDiarizer:
    return FakeDiarizer()


@pytest.fixture
def parts(engine: FakeEngine, diarizer: FakeDiarizer) -> RuntimeParts:
    return fake_parts(engine, diarizer=diarizer)


async def post(start: Start, parts: RuntimeParts, **fields: Any) -> httpx.Response:
    return await start(parts).post(PATH, files=speech(), data={**FIELDS, **fields})


async def test_segments_have_their_speaker(start: Start, parts: RuntimeParts, engine: FakeEngine) -> None:
    answer = await post(start, parts, chunking_strategy="")
    assert answer.json() == {
        "task": "transcribe", "duration": 2.5, "text": "Ask not.", "segments": SEGMENTS, "usage": USAGE
    }  # fmt: skip
    assert engine.asked[0].word_timestamps  # by which segments are cut


async def test_it_is_streamed_as_text_and_then_as_segments(start: Start, parts: RuntimeParts) -> None:
    answer = await post(start, parts, stream="true")
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]
    delta, *segments, done = events
    assert delta == {"type": "transcript.text.delta", "delta": "Ask not."}
    assert segments == SEGMENTS
    assert (done["type"], done["text"], done["usage"]["type"]) == ("transcript.text.done", "Ask not.", "tokens")


async def test_what_is_asked_reaches_the_diarizer(start: Start, parts: RuntimeParts, diarizer: FakeDiarizer) -> None:
    await post(start, parts, speakers="2-3", **KNOWN)
    assert diarizer.asked == [(2.5, SpeakerBounds(2, 3), [("Ada", 3.0)])]


@pytest.mark.parametrize("stream", ["false", "true"])
async def test_a_bad_reference_is_refused_before_anything_is_transcribed(
    start: Start, parts: RuntimeParts, engine: FakeEngine, stream: str
) -> None:
    short = {**KNOWN, "known_speaker_references[]": VOICE.replace("M=", "E=")}
    assert short != KNOWN  # a second of audio
    answer = await post(start, parts, stream=stream, **short)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "known_speaker_references[]")
    assert "of 'Ada', has 1.0 s of audio" in answer.json()["error"]["message"]
    assert engine.asked == []


async def test_a_reference_that_the_diarizer_cannot_use_is_400(
    start: Start, parts: RuntimeParts, diarizer: FakeDiarizer
) -> None:
    diarizer.answer = UnusableReference("the reference of 'Ada' holds no speech")
    answer = await post(start, parts, **KNOWN)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, UNUSABLE)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": "Hallo"}, "prompt"),
        ({"initial_prompt": "Hallo"}, "initial_prompt"),
        ({"include[]": "logprobs"}, "include[]"),
        ({"timestamp_granularities[]": "word"}, "timestamp_granularities[]"),
        ({"timestamp_granularities[]": "segment"}, "timestamp_granularities[]"),
        ({"max_line_width": "42"}, "max_line_width"),
        ({"channels": "separate", "speakers": "2"}, "speakers"),
    ],
)
async def test_what_openai_refuses_beside_speakers_is_refused(
    start: Start, parts: RuntimeParts, engine: FakeEngine, fields: dict[str, str], param: str
) -> None:
    answer = await post(start, parts, **fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert engine.asked == []


async def test_the_name_is_listed_and_serves_other_formats_too(start: Start, parts: RuntimeParts) -> None:
    names = [model["id"] for model in (await start(parts).get("/v1/models")).json()["data"]]
    assert FIELDS["model"] in names
    assert (await post(start, parts, response_format="text")).text == "Ask not.\n"
    assert (await post(start, parts, model="whisper-1")).json()["segments"] == SEGMENTS


async def test_translations_and_plain_transcriptions_have_no_speakers(start: Start, parts: RuntimeParts) -> None:
    client = start(parts)
    for path, param in (("/v1/audio/translations", "response_format"), ("/transcribe", "speakers")):
        fields = {"speakers": "2"} if path == "/transcribe" else FIELDS
        answer = await client.post(path, files=speech(), data=fields)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_a_result_is_kept_for_the_same_speakers_alone(engine: FakeEngine, start: Start) -> None:
    diarizer = FakeDiarizer()
    parts = fake_parts(engine, diarizer=diarizer, result_cache_max_bytes=1024**2)
    client = start(parts)

    async def status(**fields: str) -> str:
        answer = await client.post(PATH, files=speech(), data={**FIELDS, **fields})
        assert answer.json()["segments"] == SEGMENTS
        return answer.headers["cache-status"]

    assert "stored" in await status()
    assert "hit" in await status()
    assert "stored" in await status(speakers="2")
    assert "stored" in await status(**KNOWN)
    assert "hit" in await status(**KNOWN)
    parts.model.has_diarizer("e" * 64)
    assert "stored" in await status()
    assert len(diarizer.asked) == len(engine.asked) == 4


async def test_words_and_segments_of_verbose_json_have_their_speaker_where_it_is_asked_for(
    start: Start, parts: RuntimeParts
) -> None:
    fields = {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]}
    found = (await post(start, parts, speakers="auto", **fields)).json()
    assert [(word["word"], word["speaker"]) for word in found["words"]] == [("Ask", "A"), ("not.", "B")]
    assert [segment["speaker"] for segment in found["segments"]] == ["B"]
    without = (await post(start, parts, **fields)).json()
    assert not any("speaker" in one for one in (*without["words"], *without["segments"]))


async def test_segments_have_theirs_without_words(start: Start, parts: RuntimeParts) -> None:
    found = (await post(start, parts, speakers="2", response_format="verbose_json")).json()
    assert "words" not in found
    assert [segment["speaker"] for segment in found["segments"]] == ["B"]


SUBTITLES = {
    "srt": "1\n00:00:00,000 --> 00:00:01,000\nA <b>->: Ask\n\n2\n00:00:01,000 --> 00:00:02,500\nB: not.\n\n",
    "vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\n<v A &lt;b&gt;-&gt;>Ask\n\n00:01.000 --> 00:02.500\n<v B>not.\n\n",
}


@pytest.mark.parametrize("response_format", SUBTITLES)
@pytest.mark.parametrize("lines", [{}, {"max_line_width": "42"}, {"max_line_width": "42", "max_line_count": "2"}])
async def test_a_cue_is_one_speakers(
    start: Start, parts: RuntimeParts, diarizer: FakeDiarizer, response_format: str, lines: dict[str, str]
) -> None:
    diarizer.answer = [SpeakerTurn(0.0, 1.0, "A <b>-->"), SpeakerTurn(1.0, 2.5, "B")]
    answer = await post(start, parts, response_format=response_format, speakers="auto", **lines)
    assert answer.text == SUBTITLES[response_format]


async def test_where_each_channel_is_a_speaker_nothing_is_loaded_for_it(start: Start) -> None:
    file = {"file": ("call.wav", b"silence 2 speech 2", "audio/wav")}
    fields = {**FIELDS, "model": "whisper-1", "channels": "separate", "vad_filter": "false"}
    found = (await start().post(PATH, files=file, data=fields)).json()
    assert [(segment["speaker"], segment["text"]) for segment in found["segments"]] == [("A", " Ask not.")]
    assert (found["text"], found["usage"]["seconds"]) == ("Ask not.", 5)
