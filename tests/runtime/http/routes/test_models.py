"""The one model that is served, in OpenAI's shape."""

from __future__ import annotations

from tests.runtime.conftest import Start


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
