"""OpenAI's audio API: what its clients get for each thing that they may ask."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runtime.conftest import Start, speech
from tests.runtime.fake_engine import FakeEngine

TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"

SEGMENT = {
    "id": 0,
    "seek": 0,
    "start": 0.0,
    "end": 2.5,
    "text": " Ask not.",
    "tokens": [50364, 16981, 406, 13, 50489],
    "temperature": 0.0,
    "avg_logprob": -0.25,
    "compression_ratio": 0.75,
    "no_speech_prob": 0.01,
}
USAGE = {"type": "duration", "seconds": 3}


@pytest.mark.parametrize(
    ("path", "response_format", "body"),
    [
        (TRANSCRIPTIONS, "json", {"text": "Ask not.", "usage": USAGE}),
        (
            TRANSCRIPTIONS,
            "verbose_json",
            {
                "task": "transcribe",
                "language": "english",
                "duration": 2.5,
                "text": "Ask not.",
                "segments": [SEGMENT],
                "usage": USAGE,
            },
        ),
        (TRANSLATIONS, "json", {"text": "Ask not."}),
        (
            TRANSLATIONS,
            "verbose_json",
            {
                "task": "translate",
                "language": "english",
                "duration": 2.5,
                "text": "Ask not.",
                "segments": [SEGMENT],
            },
        ),
    ],
)
async def test_bodies(start: Start, path: str, response_format: str, body: dict[str, Any]) -> None:
    answer = await start().post(path, files=speech(), data={"model": "base", "response_format": response_format})
    assert (answer.status_code, answer.json()) == (200, body)


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
async def test_text_is_a_plain_body(start: Start, path: str) -> None:
    answer = await start().post(path, files=speech(), data={"model": "whisper-1", "response_format": "text"})
    assert answer.text == "Ask not.\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, {"task": "transcribe", "language": None, "temperatures": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)}),
        ({"language": "de"}, {"language": "de"}),
        ({"language": "German"}, {"language": "de"}),
        ({"language": "auto"}, {"language": None}),
        ({"prompt": "Kubernetes, kopf"}, {"prompt": "Kubernetes, kopf"}),
        ({"temperature": "0.3"}, {"temperatures": (0.3,)}),
        ({"stream": "false"}, {}),
        ({"timestamp_granularities[]": "segment"}, {}),
    ],
)
async def test_fields_become_decoding_options(
    start: Start, engine: FakeEngine, fields: dict[str, str], wanted: dict[str, Any]
) -> None:
    answer = await start().post(TRANSCRIPTIONS, files=speech(), data={"model": "base", **fields})
    assert answer.status_code == 200
    asked = vars(engine.asked[0])
    assert {name: asked[name] for name in wanted} == wanted


async def test_translation_asks_for_the_task(start: Start, engine: FakeEngine) -> None:
    await start().post(TRANSLATIONS, files=speech(), data={"model": "base"})
    assert engine.asked[0].task == "translate"


async def test_the_configured_language_serves_requests_that_name_none(start: Start, engine: FakeEngine) -> None:
    await start(language="fr").post(TRANSCRIPTIONS, files=speech(), data={"model": "base"})
    assert engine.asked[0].language == "fr"


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ({"response_format": "srt"}, "response_format", "`json`, `text`, `verbose_json`"),
        ({"response_format": "diarized_json"}, "response_format", "`json`, `text`, `verbose_json`"),
        ({"stream": "true"}, "stream", "set `stream` to false"),
        ({"timestamp_granularities[]": "word"}, "timestamp_granularities[]", "supported is `segment`"),
        ({"include[]": "logprobs"}, "include[]", "leave it out"),
        ({"language": "klingon"}, "language", "ISO-639-1"),
        ({"temperature": "1.5"}, "temperature", "from 0 to 1"),
        ({"temperature": "warm"}, "temperature", "valid number"),
    ],
)
async def test_what_is_not_supported_names_field_and_remedy(
    start: Start, fields: dict[str, str], param: str, says: str
) -> None:
    answer = await start().post(TRANSCRIPTIONS, files=speech(), data={"model": "base", **fields})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert param in error["message"]
    assert says in error["message"]


async def test_another_model_does_not_exist(start: Start) -> None:
    answer = await start().post(TRANSCRIPTIONS, files=speech(), data={"model": "gpt-4o-transcribe"})
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "message": "The model `gpt-4o-transcribe` does not exist here: this server has `base` (also as `whisper-1`).",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


@pytest.mark.parametrize(
    ("data", "files", "param"),
    [
        ({"model": "base"}, None, "file"),
        ({"model": "base", "file": "text"}, None, "file"),
        ({}, speech(), "model"),
    ],
)
async def test_a_missing_field_is_named(start: Start, data: dict[str, str], files: Any, param: str) -> None:
    answer = await start().post(TRANSCRIPTIONS, files=files, data=data)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("model", ["turbo", "large-v3-turbo", "tiny.en"])
async def test_models_that_cannot_translate_say_so(start: Start, model: str) -> None:
    answer = await start(model=model).post(TRANSLATIONS, files=speech(), data={"model": model})
    assert answer.status_code == 400
    assert f"`{model}` was not trained to translate" in answer.json()["error"]["message"]


async def test_an_english_model_refuses_another_language(start: Start, engine: FakeEngine) -> None:
    client = start(model="tiny.en")
    refused = await client.post(TRANSCRIPTIONS, files=speech(), data={"model": "tiny.en", "language": "de"})
    assert refused.status_code == 400
    assert "knows English only" in refused.json()["error"]["message"]
    accepted = await client.post(TRANSCRIPTIONS, files=speech(), data={"model": "tiny.en"})
    assert (accepted.status_code, engine.asked[0].language) == (200, "en")


async def test_models(start: Start) -> None:
    client = start(model="base")
    listed = (await client.get("/v1/models")).json()
    [model] = listed["data"]
    assert listed["object"] == "list"
    assert model | {"created": 0} == {
        "id": "base",
        "object": "model",
        "created": 0,
        "owned_by": "openai",
        "digest": "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
    }
    assert (await client.get("/v1/models/base")).json() == model
    assert (await client.get("/v1/models/whisper-1")).json() == model
    assert (await client.get("/v1/models/gpt-4")).json()["error"]["code"] == "model_not_found"
