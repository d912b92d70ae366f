"""Health, startup, readiness and metrics, on the port of their own and in a lone container."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.batches import fake_batches
from tests.fakes.engine import FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.runtime.conftest import PartsOf, Start, speech
from whisper_runtime.contract.front import LoadReport
from whisper_runtime.contract.metric_names import (
    AUDIO_SECONDS_METRIC,
    READY_METRIC,
    TRANSCRIPTION_SECONDS_METRIC,
    TRANSCRIPTIONS_METRIC,
)
from whisper_runtime.contract.network import JOBS_REPORT_PATH, METRICS_PATH
from whisper_runtime.contract.reports import JobsReport
from whisper_runtime.engine.interface import State
from whisper_runtime.http.app import create_probes_app
from whisper_runtime.service.jobs.job import JobStatistics
from whisper_runtime.service.lifecycle import Phase


async def test_what_waits_as_jobs_is_reported_where_jobs_are_kept(parts_of: PartsOf, tmp_path: Path) -> None:
    parts = parts_of()
    door = fake_jobs(parts, tmp_path)
    door.worker.statistics = JobStatistics({"queued": 1, "in_progress": 2, "failed": 9}, 90.0, oldest_created=1000.0)
    door.worker.looked = time.monotonic() - 4.0
    for jobs, status in ((door, 200), (None, 404)):
        transport = httpx.ASGITransport(create_probes_app(parts, jobs))
        async with httpx.AsyncClient(transport=transport, base_url="http://whisper") as client:
            answer = await client.get(JOBS_REPORT_PATH)
        assert answer.status_code == status
        if jobs:
            report = JobsReport.model_validate_json(answer.content)
            assert (report.queued_audio_seconds, report.oldest_queued, report.unended) == (90.0, 1000.0, 3)
            assert report.age_seconds >= 4.0
    await door.store.close()


async def test_batches_that_have_not_ended_count_once_they_have_been_looked_for(
    parts_of: PartsOf, tmp_path: Path
) -> None:
    parts = parts_of()
    door = fake_jobs(parts, tmp_path)
    door.worker.looked = time.monotonic()
    batches = fake_batches(parts, door, tmp_path)
    transport = httpx.ASGITransport(create_probes_app(parts, door, batches))
    async with httpx.AsyncClient(transport=transport, base_url="http://whisper") as client:
        for looked, live, unended in ((None, {}, None), (time.monotonic(), {"validating": 1, "in_progress": 1}, 2)):
            batches.runner.live, batches.runner.looked = live, looked
            answer = await client.get(JOBS_REPORT_PATH)
            assert JobsReport.model_validate_json(answer.content).unended == unended
    await batches.store.close()
    await door.store.close()


@pytest.mark.parametrize(
    ("state", "phase", "health", "startup", "ready"),
    [
        (State.LOADING, Phase.SERVING, 200, 503, 503),
        (State.READY, Phase.SERVING, 200, 200, 200),
        (State.READY, Phase.LEAVING, 200, 200, 503),
        (State.READY, Phase.REFUSING, 200, 200, 503),
        (State.FAILED, Phase.SERVING, 503, 200, 503),
    ],
)
async def test_each_probe_says_its_own_thing(
    start: Start,
    parts_of: PartsOf,
    engine: FakeEngine,
    state: State,
    phase: Phase,
    health: int,
    startup: int,
    ready: int,
) -> None:
    engine.state = state
    parts = parts_of()
    parts.lifecycle.phase = phase
    client = start(parts, probes=True)
    assert [(await client.get(path)).status_code for path in ("/health", "/startup", "/ready")] == [
        health,
        startup,
        ready,
    ]
    assert f"{READY_METRIC} {float(ready == 200)}" in (await client.get(METRICS_PATH)).text.splitlines()


@pytest.mark.parametrize("path", ["/health", "/startup", "/ready", "/metrics"])
async def test_a_probe_may_ask_for_the_status_alone(start: Start, path: str) -> None:
    assert (await start(probes=True).head(path)).status_code == 200


async def test_the_bodies_that_others_rely_on(start: Start) -> None:
    client = start(probes=True)
    assert (await client.get("/health")).json() == {"status": "healthy", "model": "base"}
    assert (await client.get("/ready")).json() == {"status": "ready"}


async def test_a_pod_whose_queue_is_full_stays_ready_and_answers_429(start: Start, engine: FakeEngine) -> None:
    engine.queued_audio_seconds = 10_000
    assert (await start(probes=True).get("/ready")).status_code == 200
    answer = await start().post("/transcribe", files=speech())
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "queue_full")
    assert int(answer.headers["retry-after"]) > 0


async def test_what_is_left_is_reported_to_the_front_alone(start: Start, engine: FakeEngine) -> None:
    engine.free_rows, engine.queued_audio_seconds = 0, 12.0
    assert LoadReport.model_validate_json((await start(probes=True).get("/load")).content) == LoadReport(
        is_ready=True, queued_audio_seconds=12.0, free_rows=0, queue_limit_seconds=1500.0, speed=10.0
    )
    engine.free_rows, engine.queued_audio_seconds, engine.state = 3, 0.0, State.LOADING
    loading = (await start(probes=True).get("/load")).json()
    assert (loading["isReady"], loading["freeRows"], loading["queuedAudioSeconds"]) == (False, 3, 0)
    assert (await start(probes_on_http=False).get("/load")).status_code == 404


async def test_a_model_that_failed_is_unhealthy_for_a_reason(start: Start, engine: FakeEngine) -> None:
    engine.state, engine.error = State.FAILED, "no such file"
    answer = await start(probes=True).get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "unhealthy", "reason": "no such file"})


async def test_under_the_operator_clients_see_none_of_these_paths(start: Start) -> None:
    client = start(probes_on_http=False)
    paths = ("/health", "/startup", "/ready", "/metrics")
    assert [(await client.get(path)).status_code for path in paths] == [404, 404, 404, 404]


async def test_the_probes_port_serves_no_transcriptions(start: Start) -> None:
    assert (await start(probes=True).post("/transcribe", files=speech())).status_code == 404


async def test_metrics_count_by_language_and_model(start: Start, engine: FakeEngine) -> None:
    client = start(probes_on_http=True)
    await client.post("/transcribe", files=speech())
    await client.post("/transcribe", files={"file": ("a.wav", b"<html>")})
    await client.get("/nowhere")
    engine.state = State.LOADING
    await client.get("/ready")
    scraped = (await client.get(METRICS_PATH)).text
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(scraped)
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }
    assert samples[TRANSCRIPTIONS_METRIC, "base", "en"] == 1
    assert samples[f"{AUDIO_SECONDS_METRIC}_sum", "base"] == 2.5
    assert samples[f"{TRANSCRIPTION_SECONDS_METRIC}_count", "base"] == 1
    assert samples["whisper_requests_total", "/transcribe", "200"] == 1
    assert samples["whisper_requests_total", "/transcribe", "400"] == 1
    assert samples["whisper_requests_total", "404", "none"] == 1
    assert {key[1] for key in samples if key[0] == "whisper_requests_total"} == {"/transcribe", "404"}
    assert not [key for key in samples if key[0] == "whisper_rejections_total"]
    assert samples["whisper_queued_audio_seconds",] == 0
    assert samples["whisper_realtime_factor",] == 10
