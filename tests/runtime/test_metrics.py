"""Every stage, every refusal and every error is counted under its own name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine
from tests.runtime.conftest import PartsOf, Start, speech
from whisper_runtime.contract.metric_names import AUTOSCALING_METRICS
from whisper_runtime.engine.interface import Observer
from whisper_runtime.metrics import MAX_CLIENT_LABELS, OTHER_CLIENTS, Metrics


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    found = registry.get_sample_value(name, labels)
    assert found is not None, f"{name}{labels} is not there"
    return found


def test_events_of_the_engine_are_counted() -> None:
    metrics = Metrics("base")
    observer: Observer = metrics
    observer.stage("encode", 0.5)
    observer.batch(rows=2, capacity=8)
    observer.fallback()
    observer.no_speech()
    observer.cancelled()
    observer.split()
    assert value(metrics.registry, "whisper_stage_duration_seconds_sum", stage="encode") == 0.5
    assert value(metrics.registry, "whisper_batch_fill_ratio_sum") == 0.25
    for name in ("fallbacks", "no_speech", "cancellations", "batch_splits"):
        assert value(metrics.registry, f"whisper_{name}_total") == 1


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


async def test_decoding_media_is_a_stage_too(start: Start, parts_of: PartsOf) -> None:
    parts = parts_of()
    await start(parts).post("/transcribe", files=speech())
    assert value(parts.metrics.registry, "whisper_stage_duration_seconds_count", stage="decode") == 1


def test_the_start_and_the_device_have_metrics() -> None:
    metrics = Metrics("base")
    with metrics.phase("load"):
        pass
    metrics.serves("a" * 64, "NVIDIA H100", "float16", lambda: 1024.0)
    labels = {"model": "base", "digest": "a" * 64, "device": "NVIDIA H100", "compute_type": "float16"}
    assert value(metrics.registry, "whisper_model_info", **labels) == 1
    assert value(metrics.registry, "whisper_device_memory_bytes") == 1024
    assert value(metrics.registry, "whisper_load_phase_seconds", phase="load") < 60


@pytest.mark.parametrize("name", AUTOSCALING_METRICS)
def test_what_an_autoscaler_needs_is_there_from_the_start(parts_of: PartsOf, name: str) -> None:
    assert value(parts_of().metrics.registry, name) >= 0


def test_saturation_is_one_where_requests_begin_to_be_refused(parts_of: PartsOf, engine: FakeEngine) -> None:
    parts = parts_of(max_queued_audio_seconds=100)
    engine.queued_audio_seconds = 100
    assert value(parts.metrics.registry, "whisper_saturation_ratio") == 1


def test_threads_and_the_processors_speed_are_told_with_their_reason_and_name() -> None:
    metrics = Metrics("base")
    metrics.computes_in(2, "quota")
    metrics.multiplies("A Xeon (avx512f)", 0.62)
    assert value(metrics.registry, "whisper_threads", reason="quota") == 2
    assert value(metrics.registry, "whisper_bfloat16_speed_ratio", processor="A Xeon (avx512f)") == 0.62


async def test_audio_is_counted_by_the_name_of_the_clients_key(start: Start, parts_of: PartsOf, tmp_path: Path) -> None:
    (tmp_path / "alice").write_text("secret")
    named, open_to_all = parts_of(api_keys_dir=str(tmp_path)), parts_of()
    await start(named).post("/transcribe", files=speech(4), headers={"X-API-Key": "secret"})
    await start(named).post("/transcribe", files=speech(4), headers={"X-API-Key": "wrong"})
    await start(open_to_all).post("/transcribe", files=speech(4))
    assert value(named.metrics.registry, "whisper_client_audio_seconds_total", client="alice") == SPOKEN.duration
    assert value(open_to_all.metrics.registry, "whisper_client_audio_seconds_total", client="(no key)") == 2.5


def test_clients_beyond_a_bound_share_a_series() -> None:
    metrics = Metrics("base")
    for number in range(MAX_CLIENT_LABELS + 5):
        metrics.transcribed(SPOKEN, 1, f"client-{number}")
    metrics.transcribed(SPOKEN, 1, "client-0")
    assert value(metrics.registry, "whisper_client_audio_seconds_total", client=OTHER_CLIENTS) == 5 * SPOKEN.duration
    assert value(metrics.registry, "whisper_client_audio_seconds_total", client="client-0") == 2 * SPOKEN.duration


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
