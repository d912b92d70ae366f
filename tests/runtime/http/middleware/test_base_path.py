"""Below a prefix, as behind a proxy that routes by path, and without it, as within the cluster."""

from __future__ import annotations

import pytest

from tests.runtime.conftest import Start, speech


@pytest.mark.parametrize("path", ["/speech/v1/audio/transcriptions", "/v1/audio/transcriptions"])
async def test_the_api_answers_with_the_prefix_and_without(start: Start, path: str) -> None:
    answer = await start(base_path="/speech").post(path, files=speech(), data={"model": "whisper-1"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/other/v1/models", "/speechless/v1/models", "/speech/speech/v1/models"])
async def test_nothing_else_does(start: Start, path: str) -> None:
    assert (await start(base_path="/speech").get(path)).status_code == 404


async def test_without_one_no_prefix_is_taken_off(start: Start) -> None:
    assert (await start().get("/speech/v1/models")).status_code == 404
