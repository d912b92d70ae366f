"""The clients' application with jobs and batches, which are worked at."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.batches import fake_batches
from tests.fakes.engine import FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from whisper_runtime.http.app import create_app
from whisper_runtime.service.batches import line_jobs, runner

TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"
FILES, BATCHES = "/v1/files", "/v1/batches"
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})

ServeBatches = Callable[..., httpx.AsyncClient]


@pytest.fixture
def keys_of_ann_and_bob(tmp_path: Path) -> str:
    """A folder with the API keys of two clients: `key of ann`, `key of bob`."""
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("ann", "bob"):
        (keys / name).write_text(f"key of {name}")
    return str(keys)


class SteppedClock:
    """Time as it is, and as many seconds more as a test says."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def batch_clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
async def serve_batches(
    tmp_path: Path, batch_clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ServeBatches]:
    """Starts the application around an engine, and gives a client of it; its configuration has the given fields."""
    for name in ("LOOK_SECONDS", "GATHER_SECONDS", "PAUSE_SECONDS"):
        monkeypatch.setattr(line_jobs, name, 0.02)
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.02)
    tasks: list[asyncio.Task[None]] = []
    opened: list[Any] = []

    def client(engine: FakeEngine, **config: Any) -> httpx.AsyncClient:
        parts = fake_parts(engine, jobs_dir=str(tmp_path / "jobs"), **config)
        jobs = fake_jobs(parts, tmp_path / "jobs")
        batches = fake_batches(parts, jobs, tmp_path / "jobs", batch_clock)
        tasks.extend((asyncio.create_task(jobs.worker.run()), asyncio.create_task(batches.runner.run())))
        if jobs.deliverer:
            tasks.append(asyncio.create_task(jobs.deliverer.run()))
        transport = httpx.ASGITransport(create_app(parts, jobs, batches))
        found = httpx.AsyncClient(transport=transport, base_url="http://whisper", timeout=60)
        opened.append((found, jobs, batches))
        return found

    yield client
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for found, jobs, batches in opened:
        await found.aclose()
        await batches.store.close()
        await jobs.close()


async def upload(client: httpx.AsyncClient, content: bytes, purpose: str = "user_data", **fields: Any) -> str:
    """The id of a file with that content."""
    files = {"file": (fields.pop("name", "a.wav"), content)}
    answer = await client.post(FILES, files=files, data={"purpose": purpose, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def line(custom_id: str, endpoint: str = TRANSCRIPTIONS, **body: Any) -> dict[str, Any]:
    return {"custom_id": custom_id, "method": "POST", "url": endpoint, "body": {"model": "base", **body}}


def jsonl(*lines: Any) -> bytes:
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines)


async def create(client: httpx.AsyncClient, *lines: Any, **fields: Any) -> dict[str, Any]:
    """A batch of these lines."""
    wanted = {"completion_window": "24h", "endpoint": TRANSCRIPTIONS, **fields}
    if lines:
        wanted["input_file_id"] = await upload(client, jsonl(*lines), "batch", name="lines.jsonl")
    answer = await client.post(BATCHES, json=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def batch_in(client: httpx.AsyncClient, batch_id: str, *states: str) -> dict[str, Any]:
    """The batch once it is in one of these states."""
    async with asyncio.timeout(30):
        while (found := (await client.get(f"{BATCHES}/{batch_id}")).json())["status"] not in states:
            assert found["status"] not in ENDED, found
            await asyncio.sleep(0.01)
    return found


async def answers(client: httpx.AsyncClient, file_id: str | None) -> list[dict[str, Any]]:
    """The lines of an output or error file; None: none."""
    if file_id is None:
        return []
    content = (await client.get(f"{FILES}/{file_id}/content")).content
    return [json.loads(one) for one in content.decode().splitlines()]
