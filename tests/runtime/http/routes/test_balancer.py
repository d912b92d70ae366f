"""Load balancers that probe the clients' port learn whether to send clients there, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.engine import FakeEngine
from tests.runtime.conftest import PartsOf, Start
from whisper_runtime.engine.interface import State
from whisper_runtime.service.lifecycle import Phase


@pytest.mark.parametrize(
    ("state", "phase", "status"),
    [
        (State.READY, Phase.SERVING, 200),
        (State.LOADING, Phase.SERVING, 503),
        (State.FAILED, Phase.SERVING, 503),
        (State.READY, Phase.LEAVING, 503),
        (State.READY, Phase.REFUSING, 503),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_it_says_200_or_503_and_no_word_more(
    start: Start, parts_of: PartsOf, engine: FakeEngine, method: str, state: State, phase: Phase, status: int
) -> None:
    engine.state, engine.error = state, "no such file"
    parts = parts_of(probes_on_http=False)
    parts.lifecycle.phase = phase
    answer = await start(parts).request(method, "/healthz")
    assert (answer.status_code, answer.content) == (status, b"")


async def test_a_full_queue_is_no_reason_to_send_clients_elsewhere(start: Start, engine: FakeEngine) -> None:
    engine.queued_audio_seconds = 10_000
    assert (await start().get("/healthz")).status_code == 200


async def test_it_needs_no_key_and_others_do(start: Start, tmp_path: Path) -> None:
    (tmp_path / "alice").write_text("key-of-alice")
    client = start(api_keys_dir=str(tmp_path), probes_on_http=False)
    assert (await client.get("/healthz")).status_code == 200
    assert [(await client.get(path)).status_code for path in ("/v1/models", "/healthz/", "/ready")] == [401, 401, 401]


@pytest.mark.parametrize("path", ["/healthz", "/speech/healthz"])
async def test_it_is_below_the_base_path_too(start: Start, path: str) -> None:
    assert (await start(base_path="/speech").get(path)).status_code == 200


async def test_it_is_in_no_document_and_no_count(start: Start, parts_of: PartsOf) -> None:
    parts = parts_of()
    client = start(parts)
    await client.get("/healthz")
    assert "/healthz" not in (await client.get("/openapi.json")).json()["paths"]
    assert (
        parts.metrics.registry.get_sample_value("whisper_requests_total", {"route": "/healthz", "status": "200"})
        is None
    )
