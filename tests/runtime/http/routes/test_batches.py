"""A batch from its file to the files of its answers, whatever its lines are and however it ends."""

from __future__ import annotations

import pytest

from tests.fakes.engine import FakeEngine
from tests.runtime.http.routes.conftest import ServeBatches, answers, batch_in, create, line, upload


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.free_rows = 8
    return engine


async def test_a_batch_from_its_file_to_its_answers(serve_batches: ServeBatches, engine: FakeEngine) -> None:
    client = serve_batches(engine)
    audio = await upload(client, b"speech 2.5")
    batch = await create(client, line("a", file_id=audio), line("b", file_id=audio, response_format="srt"))
    assert (batch["status"], batch["request_counts"]["total"]) == ("validating", 0)
    done = await batch_in(client, batch["id"], "completed")
    assert done["request_counts"] == {"total": 2, "completed": 2, "failed": 0}
    first, second = await answers(client, done["output_file_id"])
    assert (first["custom_id"], first["error"]) == ("a", None)
    assert first["response"]["status_code"] == 200
    assert first["response"]["body"] == {"text": "Ask not.", "usage": {"type": "duration", "seconds": 3}}
    assert second["response"]["body"].startswith("1\n00:00:00,000 --> 00:00:02,500\nAsk not.")
    assert done["error_file_id"] is None
