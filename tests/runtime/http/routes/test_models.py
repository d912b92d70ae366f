"""The one model that is served, under each of its names, in OpenAI's shape."""

from __future__ import annotations

import pytest

from tests.runtime.conftest import Start

BASE = {
    "id": "base",
    "object": "model",
    "created": 0,
    "owned_by": "openai",
    "root": "base",
    "digest": "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
}
OPENAI = ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe"]
PUBLIC = ["whisper-base", "openai/whisper-base", "Systran/faster-whisper-base"]


async def test_the_list_has_the_model_then_its_aliases(start: Start) -> None:
    listed = (await start(model="base", model_aliases=("acme/speech",)).get("/v1/models")).json()
    assert listed["object"] == "list"
    assert listed["data"][0] | {"created": 0} == BASE
    assert [model["id"] for model in listed["data"]] == ["base", "acme/speech", *OPENAI, *PUBLIC]
    assert [model | {"id": "base", "created": 0} for model in listed["data"]] == [BASE] * 9


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("base", "base"),
        ("whisper-1", "whisper-1"),
        ("acme/speech", "acme/speech"),
        ("acme%2Fspeech", "acme/speech"),
        ("openai%2Fwhisper-base", "openai/whisper-base"),
        ("gpt-4o-mini-transcribe-2025-12-15", "gpt-4o-mini-transcribe-2025-12-15"),
    ],
)
async def test_each_name_can_be_looked_up(start: Start, asked: str, name: str) -> None:
    found = (await start(model="base", model_aliases=("acme/speech",)).get(f"/v1/models/{asked}")).json()
    assert found | {"created": 0} == BASE | {"id": name}


@pytest.mark.parametrize("asked", ["gpt-4", "openai/whisper-large-v3", "acme/speech/more", "whisper-1/"])
async def test_another_name_is_not_found(start: Start, asked: str) -> None:
    answer = await start(model="base").get(f"/v1/models/{asked}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
