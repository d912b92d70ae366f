"""All clients' routes answer at the path of Groq's API, too, as Groq does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.conftest import Start, speech

TRANSCRIPTIONS = "/openai/v1/audio/transcriptions"
TRANSLATIONS = "/openai/v1/audio/translations"
ID = {"X-Request-ID": "req-1"}


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
@pytest.mark.parametrize("response_format", ["json", "verbose_json"])
async def test_an_answer_has_the_requests_id(start: Start, path: str, response_format: str) -> None:
    fields = {"model": "whisper-base", "response_format": response_format}
    client = start()
    found = (await client.post(path, files=speech(), data=fields, headers=ID)).json()
    assert found.pop("x_groq") == {"id": "req-1"}
    openais = await client.post(path.removeprefix("/openai"), files=speech(), data=fields, headers=ID)
    assert openais.json() == found


@pytest.mark.parametrize("fields", [{"response_format": "text"}, {"response_format": "srt"}, {"stream": "true"}])
async def test_other_answers_are_the_same(start: Start, fields: dict[str, str]) -> None:
    client = start()
    form = {"model": "base", **fields}
    answers = [await client.post(path, files=speech(), data=form) for path in (TRANSCRIPTIONS, TRANSCRIPTIONS[7:])]
    assert answers[0].text == answers[1].text


@pytest.mark.parametrize("path", ["/openai/v1/models", "/openai/v1/models/whisper-1", "/speech/openai/v1/models"])
async def test_models_are_listed(start: Start, path: str) -> None:
    assert (await start(base_path="/speech").get(path)).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/openai", "/openai/v1", "/openai/transcribe", "/openai/health", "/openai/openai/v1/models", "/openais/v1/models"],
)
async def test_nothing_else_has_that_prefix(start: Start, path: str) -> None:
    assert (await start().get(path)).status_code == 404


async def test_a_key_is_asked_for_there_too(start: Start, tmp_path: Path) -> None:
    (tmp_path / "alice").write_text("right")
    client = start(api_keys_dir=str(tmp_path))
    assert (await client.get("/openai/v1/models")).status_code == 401
    assert (await client.get("/openai/v1/models", headers={"X-API-Key": "right"})).status_code == 200


async def test_the_routes_are_documented_once(start: Start) -> None:
    assert not [path for path in (await start().get("/openapi.json")).json()["paths"] if "openai" in path]
