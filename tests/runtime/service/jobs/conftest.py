"""A store of each kind, with a clock that the test turns."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from functools import cache
from pathlib import Path
from typing import IO, Any

import pytest

from testbed.store_server import StoreProgram, StoreServer, running
from whisper_runtime.service.jobs.files import StoredFiles
from whisper_runtime.service.jobs.job import JobDraft
from whisper_runtime.service.jobs.kept_contents import BesideJobs, SharedFiles
from whisper_runtime.service.jobs.outbox import DeliveryOutbox
from whisper_runtime.service.jobs.shared_outbox import SharedOutbox
from whisper_runtime.service.jobs.shared_store import SharedJobStore
from whisper_runtime.service.jobs.shared_verbs import SharedVerbs
from whisper_runtime.service.jobs.sqlite_outbox import SqliteOutbox
from whisper_runtime.service.jobs.sqlite_store import SqliteJobStore
from whisper_runtime.service.jobs.store import JobStore
from whisper_runtime.service.shared.store_caller import StoreCaller

AUDIO = b"a recording"
LEASE_SECONDS = 60.0
KEEP_SECONDS = 3600.0
MAX_BYTES = 10_000_000


class HandClock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


Servers = Callable[[StoreProgram], StoreServer]
OpenStore = Callable[..., JobStore]
"""Opens one store, as each process that shares it does."""


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def store_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A server of each program, started when it is asked for first; each time it is empty."""
    with ExitStack() as started:

        @cache
        def of(program: StoreProgram) -> StoreServer:
            return started.enter_context(running(program, tmp_path_factory.mktemp(program)))

        def empty(program: StoreProgram) -> StoreServer:
            server = of(program)
            server.ask("FLUSHALL")
            return server

        yield empty


@pytest.fixture
def url_file(tmp_path: Path) -> Path:
    return tmp_path / "url"


@pytest.fixture(params=["sqlite", "valkey", "redis"])
def kind(request: pytest.FixtureRequest, store_servers: Servers, url_file: Path) -> str:
    """What keeps the jobs, of a store that is there; contents are files in SQLite's and Valkey's."""
    if request.param != "sqlite":
        url_file.write_text(store_servers(request.param).url)
    return request.param


def shared_verbs(
    url_file: Path, clock: HandClock, max_bytes: int, max_queued_seconds: float | None, prefix: str = "team/a"
) -> SharedVerbs:
    caller = StoreCaller(str(url_file), None)
    return SharedVerbs(caller, prefix, max_bytes=max_bytes, max_queued_seconds=max_queued_seconds, clock=clock)


@pytest.fixture
async def open_store(kind: str, url_file: Path, tmp_path: Path, clock: HandClock) -> AsyncIterator[OpenStore]:
    directory = tmp_path / "jobs"
    async with AsyncExitStack() as opened:

        def open_one(
            max_bytes: int = MAX_BYTES,
            max_queued_seconds: float | None = None,
            keep_seconds: float = KEEP_SECONDS,
            lease_seconds: float = LEASE_SECONDS,
        ) -> JobStore:
            times: dict[str, Any] = {"keep_seconds": keep_seconds, "lease_seconds": lease_seconds}
            if kind == "sqlite":
                bounds: dict[str, Any] = {"max_bytes": max_bytes, "max_queued_seconds": max_queued_seconds}
                store: JobStore = SqliteJobStore(directory, clock=clock, **bounds, **times)
            else:
                contents = SharedFiles(StoredFiles(directory / "files")) if kind == "valkey" else BesideJobs()
                store = SharedJobStore(shared_verbs(url_file, clock, max_bytes, max_queued_seconds), contents, **times)
            opened.push_async_callback(store.close)
            return store

        yield open_one


@pytest.fixture
async def open_outbox(
    kind: str, url_file: Path, tmp_path: Path, clock: HandClock
) -> AsyncIterator[Callable[[], DeliveryOutbox]]:
    async with AsyncExitStack() as opened:

        def open_one() -> DeliveryOutbox:
            if kind == "sqlite":
                outbox: DeliveryOutbox = SqliteOutbox(tmp_path / "jobs", clock=clock)
                opened.push_async_callback(outbox.close)
                return outbox
            verbs = shared_verbs(url_file, clock, MAX_BYTES, None)
            opened.push_async_callback(verbs.close)
            return SharedOutbox(verbs)

        yield open_one


@pytest.fixture
def store(open_store: OpenStore) -> JobStore:
    return open_store()


def draft(client: str = "key ann", seconds: float = 10.0, **fields: Any) -> JobDraft:
    return JobDraft(client, "{}", seconds, **fields)


def audio(content: bytes = AUDIO) -> IO[bytes]:
    return io.BytesIO(content)
