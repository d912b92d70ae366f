"""A process that works at batches around the fake engine, whose parts a test can reach."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.fakes.engine import FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from whisper_runtime.http.batch_line import OpenAILines
from whisper_runtime.service.batches.batch import BatchDraft, StoredBatch
from whisper_runtime.service.batches.file import FileDraft
from whisper_runtime.service.batches.line_jobs import BatchWorkplace
from whisper_runtime.service.batches.sqlite_store import SqliteBatchStore
from whisper_runtime.service.jobs.sqlite_store import SqliteJobStore

ANN = "key ann"
ENDPOINT = "/v1/audio/transcriptions"


@asynccontextmanager
async def workplace(engine: FakeEngine, directory: Path, clock: Any, **config: Any) -> AsyncGenerator[BatchWorkplace]:
    """With a worker that transcribes jobs until the end of the block."""
    parts = fake_parts(engine, jobs_dir=str(directory), **config)
    jobs = fake_jobs(parts, directory)
    assert isinstance(jobs.store, SqliteJobStore)
    store = SqliteBatchStore(jobs.store, directory, max_bytes=parts.config.jobs_max_bytes, clock=clock)
    working = asyncio.create_task(jobs.worker.run())
    lines = OpenAILines(parts.model, takes_urls=parts.transcriber.takes_urls)
    try:
        yield BatchWorkplace(store, jobs, parts.admission, lines, 3600.0, clock)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await store.close()
        await jobs.close()


async def take_in(work: BatchWorkplace, *recordings: bytes) -> StoredBatch:
    """A batch of Ann's with a line for each recording; it is named by its number, from 0 on."""
    lines: list[str] = []
    for number, recording in enumerate(recordings):
        draft = FileDraft(ANN, "user_data", "a.wav", 7200.0)
        file = await work.store.put_file(draft, io.BytesIO(recording))
        lines.append(json.dumps({"custom_id": f"{number}", "body": {"model": "base", "file_id": file.id}}))
    source = await work.store.put_file(
        FileDraft(ANN, "batch", "lines.jsonl", 7200.0), io.BytesIO("\n".join(lines).encode())
    )
    return await work.store.create(BatchDraft(ANN, ENDPOINT, source.id, "24h", 24 * 3600.0, 7200.0))


async def answers_of(work: BatchWorkplace, batch: StoredBatch) -> tuple[list[Any], list[Any]]:
    """The lines of the output and of the error file of a batch that has ended."""
    done = await work.store.batch(ANN, batch.id)
    found: list[list[Any]] = []
    for file_id in (done.output_file, done.error_file):
        content = b""
        if file_id is not None:
            with await work.store.open_file(ANN, file_id) as file:
                content = file.read()
        found.append([json.loads(one) for one in content.splitlines()])
    return found[0], found[1]
