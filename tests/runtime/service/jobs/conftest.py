"""A store of each kind, with a clock that the test turns."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO, Any

import pytest

from whisper_runtime.service.jobs.job import JobDraft
from whisper_runtime.service.jobs.sqlite_store import SqliteJobStore
from whisper_runtime.service.jobs.store import JobStore

AUDIO = b"a recording"
LEASE_SECONDS = 60.0
KEEP_SECONDS = 3600.0
MAX_BYTES = 10_000_000


class HandClock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


OpenStore = Callable[..., JobStore]
"""Opens one store, as each process that shares it does."""


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["sqlite"])
async def open_store(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> AsyncIterator[OpenStore]:
    async with AsyncExitStack() as opened:

        def sqlite(**bounds: Any) -> JobStore:
            wanted: dict[str, Any] = {"max_bytes": MAX_BYTES, "keep_seconds": KEEP_SECONDS}
            wanted |= {"lease_seconds": LEASE_SECONDS} | bounds
            store = SqliteJobStore(tmp_path / "jobs", clock=clock, **wanted)
            opened.push_async_callback(store.close)
            return store

        yield {"sqlite": sqlite}[request.param]


@pytest.fixture
def store(open_store: OpenStore) -> JobStore:
    return open_store()


def draft(client: str = "key ann", seconds: float = 10.0, **fields: Any) -> JobDraft:
    return JobDraft(client, "{}", seconds, **fields)


def audio(content: bytes = AUDIO) -> IO[bytes]:
    return io.BytesIO(content)
