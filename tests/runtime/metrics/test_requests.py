"""Every refusal, error, client and first text is counted."""

from __future__ import annotations

import asyncio
from pathlib import Path

from prometheus_client import CollectorRegistry

from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine
from tests.runtime.conftest import PartsOf, Start, speech
from tests.support.samples import value
from whisper_runtime.metrics.requests import MAX_CLIENT_LABELS, OTHER_CLIENTS, RequestMetrics


async def test_refusals_and_errors_are_counted_by_their_code(
    start: Start, parts_of: PartsOf, engine: FakeEngine
) -> None:
    parts = parts_of(max_queued_audio_seconds=100)
    client, registry = start(parts), parts.metrics.registry
    await client.post("/transcribe", files={"file": b"<html>"})
    engine.queued_audio_seconds = 100
    await client.post("/transcribe", files=speech())
    engine.queued_audio_seconds, engine.answer = 0, RuntimeError("a bug")
    await client.post("/transcribe", files=speech())
    assert value(registry, "whisper_errors_total", cause="not_audio") == 1
    assert value(registry, "whisper_rejections_total", cause="queue_full") == 1
    assert value(registry, "whisper_errors_total", cause="internal_error") == 1


async def test_audio_is_counted_by_the_name_of_the_clients_key(start: Start, parts_of: PartsOf, tmp_path: Path) -> None:
    (tmp_path / "alice").write_text("secret")
    named, open_to_all = parts_of(api_keys_dir=str(tmp_path)), parts_of()
    await start(named).post("/transcribe", files=speech(4), headers={"X-API-Key": "secret"})
    await start(named).post("/transcribe", files=speech(4), headers={"X-API-Key": "wrong"})
    await start(open_to_all).post("/transcribe", files=speech(4))
    assert value(named.metrics.registry, "whisper_client_audio_seconds_total", client="alice") == SPOKEN.duration
    assert value(open_to_all.metrics.registry, "whisper_client_audio_seconds_total", client="(no key)") == 2.5


def test_clients_beyond_a_bound_share_a_series() -> None:
    registry = CollectorRegistry()
    metrics = RequestMetrics(registry, "base")
    for number in range(MAX_CLIENT_LABELS + 5):
        metrics.transcribed(SPOKEN, 1, f"client-{number}")
    metrics.transcribed(SPOKEN, 1, "client-0")
    assert value(registry, "whisper_client_audio_seconds_total", client=OTHER_CLIENTS) == 5 * SPOKEN.duration
    assert value(registry, "whisper_client_audio_seconds_total", client="client-0") == 2 * SPOKEN.duration


async def test_the_first_text_is_timed_once_for_a_recording(
    start: Start, parts_of: PartsOf, engine: FakeEngine
) -> None:
    engine.answer, parts = None, parts_of()
    request = asyncio.create_task(start(parts).post("/transcribe", files=speech()))
    await engine.until_submitted()
    registry = parts.metrics.registry
    assert value(registry, "whisper_requests_in_flight") == 1
    engine.emit(SEGMENT)
    engine.emit(SEGMENT)
    assert value(registry, "whisper_time_to_first_text_seconds_count", model="base") == 1
    engine.held[0].set_result(SPOKEN)
    await request
    assert value(registry, "whisper_time_to_first_text_seconds_count", model="base") == 1
    assert value(registry, "whisper_requests_in_flight") == 0


async def test_a_probe_is_no_request_in_flight_and_rows_are_the_engines(
    start: Start, parts_of: PartsOf, engine: FakeEngine
) -> None:
    parts, engine.rows_in_flight = parts_of(probes_on_http=True), 3
    scraped = (await start(parts).get("/metrics")).text
    assert "whisper_requests_in_flight 0.0" in scraped.splitlines()
    assert "whisper_rows_in_flight 3.0" in scraped.splitlines()
