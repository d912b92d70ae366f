"""Who takes a batch in has it begun with at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.workplace import ANN, take_in, workplace
from tests.runtime.service.jobs.conftest import HandClock
from whisper_runtime.service.batches import runner
from whisper_runtime.service.batches.batch import BatchDraft
from whisper_runtime.service.batches.door import BatchDoor
from whisper_runtime.service.batches.runner import BatchRunner


async def test_a_batch_wakes_the_runner(tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LOOK_SECONDS", 1e6)
    async with workplace(FakeEngine(), tmp_path, clock) as work:
        door = BatchDoor(work.store, BatchRunner(work), work.jobs.outbox, 3600.0)
        running = asyncio.create_task(door.runner.run())
        source = (await take_in(work, b"speech")).input_file
        await asyncio.sleep(0)
        batch = await door.create(BatchDraft(ANN, "/v1/audio/transcriptions", source, "24h", 24 * 3600.0, 3600.0))
        async with asyncio.timeout(30):
            while (await work.store.batch(ANN, batch.id)).state != "completed":
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
