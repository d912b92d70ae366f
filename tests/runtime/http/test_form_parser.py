"""Fields of a form have a bound; a known speaker's reference has a larger one."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.diarizer import FakeDiarizer
from tests.fakes.engine import FakeEngine
from tests.fakes.parts import fake_parts
from tests.runtime.conftest import Start, speech

PATH = "/v1/audio/transcriptions"
FIELD = "known_speaker_references[]"
LONG = "data:audio/wav;base64," + "A" * 400_000


@pytest.mark.parametrize(
    ("data", "param", "says"),
    [
        ({"prompt": "x" * 70_000}, None, "longer than 64 KiB"),
        ({FIELD: [LONG], "prompt": "x" * 70_000}, None, "longer than 64 KiB"),
        ({FIELD: ["x" * (4096 * 1024 + 1)]}, FIELD, "longer than 4096 KiB"),
        ({FIELD: ["x"] * 5}, FIELD, "has more than 4 values"),
        ({FIELD: [LONG], "known_speaker_names[]": ["Ada"]}, FIELD, "'Ada', cannot be decoded"),
    ],
)
@pytest.mark.parametrize("cache", [None, 1024**2])
async def test_a_field_has_its_bound(
    start: Start, engine: FakeEngine, data: dict[str, Any], param: str | None, says: str, cache: int | None
) -> None:
    parts = fake_parts(engine, diarizer=FakeDiarizer(), result_cache_max_bytes=cache)
    fields = {"model": "base", "response_format": "diarized_json", **data}
    answer = await start(parts).post(PATH, files=speech(), data=fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, param)
    assert says in error["message"]


async def test_a_reference_of_its_size_says_how_speakers_are_switched_on(start: Start) -> None:
    answer = await start().post(PATH, files=speech(), data={"model": "base", FIELD: LONG})
    assert "WHISPER_DIARIZATION_MODEL" in answer.json()["error"]["message"]


async def test_a_data_url_of_a_gigabyte_is_refused_and_kept_nowhere(start: Start) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield f'--b\r\nContent-Disposition: form-data; name="{FIELD}"\r\n\r\ndata:audio/wav;base64,'.encode()
        for _ in range(1024):
            yield b"A" * 1024**2

    client = start(fake_parts(FakeEngine(), diarizer=FakeDiarizer(), max_upload_bytes=2 * 1024**3))
    tracemalloc.start()
    answer = await client.post(PATH, content=body(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, FIELD)
    assert most < 24 * 1024**2
