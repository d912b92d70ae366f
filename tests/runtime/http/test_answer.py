"""One shape of answer for all that OpenAI's routes give."""

from __future__ import annotations

import json

from fastapi import Request

from whisper_runtime.http.answer import openai_response
from whisper_runtime.http.openai.responses import TranscriptionVerbose, TranslationJson, Usage
from whisper_runtime.http.request_state import state_of


def request(*, is_groqs: bool = False) -> Request:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("10.0.0.1", 1)}
    state_of(scope).is_groqs = is_groqs
    return Request(scope)


def test_a_text_is_plain() -> None:
    answer = openai_response(request(is_groqs=True), "Ask not.\n", {"X-Ignored-Fields": "user"})
    assert (answer.body, answer.headers["x-ignored-fields"]) == (b"Ask not.\n", "user")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_an_object_is_json_without_what_it_has_not() -> None:
    body = TranscriptionVerbose(
        task="transcribe", language="english", duration=1e-5, text="Où ? \u2028", usage=Usage(seconds=1)
    )
    answer = openai_response(request(), body, {"X-Ignored-Fields": "user"})
    assert json.loads(answer.body) == body.model_dump(mode="json", exclude_none=True)
    assert (answer.headers["content-type"], answer.headers["x-ignored-fields"]) == ("application/json", "user")


def test_an_object_has_the_requests_id_where_groqs_clients_look_for_it() -> None:
    body = TranslationJson(text="Ask not.")
    assert json.loads(openai_response(request(), body, {}).body) == {"text": "Ask not."}
    assert "id" in json.loads(openai_response(request(is_groqs=True), body, {}).body)["x_groq"]
