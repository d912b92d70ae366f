"""The OpenAPI document says what middleware does too, and names the one model."""

from __future__ import annotations

from fastapi import FastAPI

from tests.fakes.engine import FakeEngine
from tests.fakes.parts import fake_parts
from whisper_runtime.http.app import create_app
from whisper_runtime.http.openapi import SEGMENT_EVENTS, TEXT_EVENTS, refusals
from whisper_runtime.service.model_names import OPENAI_NAMES


def app(**config: object) -> FastAPI:
    return create_app(fake_parts(FakeEngine(), **config))


def test_every_refusal_has_openais_body() -> None:
    assert refusals(401, 429).keys() == {401, 429}
    operations = [operation for path in app().openapi()["paths"].values() for operation in path.values()]
    schemas = {
        status: answer["content"]["application/json"]["schema"]
        for operation in operations
        for status, answer in operation["responses"].items()
        if status != "200"
    }
    assert set(schemas) == {"400", "401", "404", "408", "413", "429", "500", "502", "503", "504"}
    assert all(schema == {"$ref": "#/components/schemas/ErrorBody"} for schema in schemas.values())


def test_events_of_a_stream_are_documented() -> None:
    document = app().openapi()
    assert {one.__name__ for one in (*TEXT_EVENTS, *SEGMENT_EVENTS)} <= document["components"]["schemas"].keys()
    for path, events in (("/v1/audio/transcriptions", TEXT_EVENTS), ("/transcribe", SEGMENT_EVENTS)):
        answers = document["paths"][path]["post"]["responses"]["200"]["content"]
        data = answers["text/event-stream"]["itemSchema"]["properties"]["data"]["contentSchema"]["anyOf"]
        assert data == [{"$ref": f"#/components/schemas/{event.__name__}"} for event in events]


def test_keys_are_documented_where_there_are_any() -> None:
    assert app(api_keys_dir="/keys").openapi()["security"] == [{"bearer": []}, {"apiKey": []}]
    assert "security" not in app().openapi()


def test_the_forms_name_the_served_model() -> None:
    schemas = app(model="/models/mine.pt").openapi()["components"]["schemas"]
    for form in ("TranscriptionForm", "TranslationForm"):
        assert schemas[form]["properties"]["model"]["enum"] == ["mine", *OPENAI_NAMES]
