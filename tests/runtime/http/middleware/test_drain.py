"""A process that leaves closes each connection after its response."""

from __future__ import annotations

import pytest

from tests.runtime.conftest import PartsOf, Start, speech
from whisper_runtime.service.lifecycle import Phase


@pytest.mark.parametrize(
    ("phase", "status", "connection"),
    [(Phase.SERVING, 200, None), (Phase.LEAVING, 200, "close"), (Phase.REFUSING, 503, "close")],
)
async def test_a_process_that_leaves(
    start: Start, parts_of: PartsOf, phase: Phase, status: int, connection: str | None
) -> None:
    parts = parts_of()
    parts.lifecycle.phase = phase
    answer = await start(parts).post("/transcribe", files=speech())
    assert (answer.status_code, answer.headers.get("connection")) == (status, connection)
    assert ("retry-after" in answer.headers) == (status == 503)
