"""A job that comes while no server is there is in the servers' real store at once, and nothing of it is left to the
front; what a front cannot judge waits for a server as before."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from testbed.store_server import StoreServer, running
from tests.fakes.engine import MULTILINGUAL, FakeEngine
from tests.fakes.front_servers import A, SentRequest, TriedFront
from tests.fakes.parts import fake_parts
from tests.support.media_files import wav_tone
from tests.support.waiting import eventually_async
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import NO_MODEL
from whisper_runtime.front.taken_jobs import takes_jobs
from whisper_runtime.media.kept_audio import keep_audio, read_audio
from whisper_runtime.service.jobs.content import AudioCodec
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.open import open_jobs
from whisper_runtime.service.shared import open as opening
from whisper_runtime.service.shared.shared_store import SharedStore

SECONDS: Final = 2.0
ASYNC: Final = {"Prefer": "respond-async, wait=60"}
CLIENT: Final = "192.0.2.1"
TAKEN: Final = "whisper_front_jobs_total"


FILE: Final = {"file": ("a.wav", wav_tone(SECONDS), "audio/wav")}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    with running("valkey", tmp_path_factory.mktemp("store")) as found:
        yield found


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a free processor must not look like a store that is away."""
    monkeypatch.setattr(opening, "SharedStore", partial(SharedStore, waits=(30.0,), pauses=(0.05,)))


class SleepingService:
    """A front, and a server that has served before and left its jobs' store; the front knows no server's address."""

    def __init__(self, *, has_loaded: bool = True, **config: Any) -> None:
        server = fake_parts(FakeEngine(), **config)
        server.model.has_loaded(MULTILINGUAL if has_loaded else NO_MODEL, "float32")
        self.jobs: JobDoor = open_jobs(None, server, AudioCodec(keep_audio, read_audio))
        self.front = TriedFront(**config)
        ours, theirs = self.front.parts.store, server.store
        assert ours is not None
        assert theirs is not None
        self._ours, self._theirs = ours, theirs
        self._tasks = [asyncio.create_task(one) for one in (ours.keep(), theirs.keep())]

    async def start(self) -> None:
        await eventually_async("both use the store", lambda: self._theirs.is_used and self._ours.in_use)

    def send(self, *, headers: dict[str, str] | None = None, **sent: Any) -> SentRequest:
        fields = sent.pop("data", {})
        options: dict[str, Any] = {"files": FILE} | sent
        return self.front.send(headers=ASYNC | (headers or {}), data={"model": "whisper-1"} | fields, **options)

    async def submit(self, **sent: Any) -> SentRequest:
        return await self.send(**sent).answered()

    async def goes_to_a_server(self, sent: SentRequest) -> bool:
        """Whether the request waits for one; it is answered by that then."""
        turnstile = self.front.parts.turnstile
        await self.front.until(lambda: sent.done.done() or turnstile.held_requests)
        self.front.ready(A)
        await sent.answered()
        return len(self.front.servers.asked) == 1

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.front.parts.jobs:
            await self.front.parts.jobs.close()
        await self.jobs.close()


@pytest.fixture
def config(store: StoreServer, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    (tmp_path / "url").write_text(store.url)
    name = "".join(letter for letter in request.node.name.lower() if letter.isalnum())[:200]
    return {"redis_url_file": str(tmp_path / "url"), "redis_prefix": name, "jobs_store": "redis"}


@pytest.fixture
async def service(config: dict[str, Any]) -> AsyncIterator[SleepingService]:
    found = SleepingService(**config)
    await found.start()
    yield found
    await found.stop()


def body(answer: SentRequest) -> dict[str, Any]:
    return json.loads(answer.body)


async def test_it_is_accepted_at_once_and_a_server_does_it_later(service: SleepingService) -> None:
    answer = await service.submit(data={"response_format": "srt", "metadata[case]": "17"})
    job = body(answer)
    assert (answer.status, job["status"], job["audio_seconds"], job["response_format"]) == (
        202,
        "queued",
        SECONDS,
        "srt",
    )
    assert (answer.headers["location"], job["metadata"]) == (f"/v1/audio/transcriptions/{job['id']}", {"case": "17"})
    assert service.front.servers.asked == []
    assert service.front.counted(TAKEN) == 1
    claimed = await service.jobs.store.claim()
    assert claimed is not None
    assert (claimed.job.id, claimed.job.audio_seconds) == (job["id"], SECONDS)
    with await service.jobs.store.audio(claimed.lease) as kept:
        found = await read_audio(kept, max_seconds=60, timeout=60, on_bytes=lambda _: None)
    assert len(found.samples) == SECONDS * 16_000


async def test_nobody_waits_at_a_front_for_its_result(service: SleepingService) -> None:
    answer = await service.submit()
    assert (answer.status, answer.headers["preference-applied"]) == (202, "respond-async")


async def test_it_wakes_a_server(service: SleepingService) -> None:
    demand = service.front.parts.demand
    before, since = demand.report().idle_seconds, time.monotonic()
    await service.submit()
    report = demand.report()
    assert (report.held_requests, report.active_requests) == (0, 0)
    assert report.idle_seconds < before + time.monotonic() - since  # its end counts as a request's


async def test_a_client_that_sends_it_again_gets_the_job_that_it_has(service: SleepingService) -> None:
    named = {"Idempotency-Key": "case 17"}
    first, again = [body(await service.submit(headers=named))["id"] for _ in range(2)]
    assert first == again
    other = await service.submit(headers=named, data={"language": "de"})
    assert (other.status, body(other)["error"]["code"]) == (422, "idempotency_key_reused")


async def test_where_a_server_is_ready_that_has_it(service: SleepingService) -> None:
    service.front.ready(A)
    await service.submit()
    assert len(service.front.servers.asked) == 1
    assert service.front.counted(TAKEN) == 0


@pytest.mark.parametrize(
    "sent",
    [
        {"files": {"file": ("a.wav", b"no recording", "audio/wav")}},
        {"data": {"model": "another"}},
        {"data": {"temperature": "9"}},
        {"data": {"vad_filter": "true"}},
        {"data": {"channels": "separate"}},
        {"data": {"webhook_url": "https://hooks.example.com/x"}},
        {"data": {"url": "https://media.example.com/a.wav"}, "files": {"other": b"x"}},
        {"data": {"stream": "true"}},
    ],
    ids=["no audio", "model", "field", "detection", "channels", "webhook", "url", "stream"],
)
async def test_what_a_server_judges_waits_for_one(service: SleepingService, sent: dict[str, Any]) -> None:
    assert await service.goes_to_a_server(service.send(**sent))
    assert service.front.counted(TAKEN) == 0


async def test_so_does_what_is_no_job(service: SleepingService) -> None:
    assert await service.goes_to_a_server(service.front.send(files=FILE, data={"model": "whisper-1"}))


async def test_so_does_all_while_no_server_has_said_what_it_is(config: dict[str, Any]) -> None:
    service = SleepingService(**config, has_loaded=False)
    await service.start()
    assert await service.goes_to_a_server(service.send())
    await service.stop()


async def test_a_recording_that_is_too_long_is_a_servers_to_refuse(config: dict[str, Any]) -> None:
    service = SleepingService(**config, max_audio_seconds=1.0)
    await service.start()
    assert await service.goes_to_a_server(service.send())
    await service.stop()


async def test_a_client_that_has_as_much_queued_as_it_may_is_refused(config: dict[str, Any]) -> None:
    service = SleepingService(**config, jobs_max_queued_audio_seconds=3)
    await service.start()
    assert (await service.submit()).status == 202
    refused = await service.submit()
    assert (refused.status, body(refused)["error"]["code"]) == (429, "job_quota_reached")
    assert refused.headers["retry-after"]
    await service.stop()


async def test_a_job_counts_among_its_clients_requests(config: dict[str, Any]) -> None:
    service = SleepingService(**config, requests_per_minute=2)
    await service.start()
    left = [(await service.submit()).headers["x-ratelimit-remaining-requests"] for _ in range(2)]
    refused = await service.submit()
    assert (left, refused.status, body(refused)["error"]["code"]) == (["1", "0"], 429, "rate_limit_exceeded")
    await service.stop()


@pytest.mark.parametrize(
    ("changed", "takes"),
    [
        ({}, True),
        ({"redis_url_file": None}, False),
        ({"jobs_store": "directory"}, False),
        ({"jobs_dir": "/jobs"}, False),
        ({"model": "mine"}, False),
    ],
)
def test_a_front_takes_jobs_whose_whole_store_it_reaches(changed: dict[str, Any], takes: bool) -> None:
    of_all: dict[str, Any] = {"model": "base", "redis_url_file": "/url", "jobs_store": "redis"}
    assert takes_jobs(RuntimeConfig(**of_all | changed)) is takes
