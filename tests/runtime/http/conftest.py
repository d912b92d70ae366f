"""The clients' application with jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from whisper_runtime.http.app import create_app
from whisper_runtime.service.jobs import door as waiting
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.webhooks import deliverer as delivering

Serve = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def serve(engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serve]:
    """Starts the clients' application with jobs, and gives clients of it; its configuration has the given fields."""
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(delivering, "LOOK_SECONDS", 0.05)
    engine.free_rows = 8
    tasks: list[asyncio.Task[None]] = []
    clients: list[httpx.AsyncClient] = []
    doors: list[JobDoor] = []

    def client(**config: Any) -> httpx.AsyncClient:
        parts = fake_parts(engine, jobs_dir=str(tmp_path / "jobs"), **config)
        door = fake_jobs(parts, tmp_path / "jobs")
        doors.append(door)
        tasks.append(asyncio.create_task(door.worker.run()))
        if door.deliverer:
            tasks.append(asyncio.create_task(door.deliverer.run()))
        transport = httpx.ASGITransport(create_app(parts, door))
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://whisper", timeout=60))
        return clients[-1]

    yield client
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for door in doors:
        await door.close()
    for opened in clients:
        await opened.aclose()
