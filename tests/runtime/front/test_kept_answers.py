"""What servers transcribed and left in a real Valkey the front answers itself; a request of which it cannot know the
result goes to a server as before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.types import Message

from testbed.store_server import StoreServer, running
from tests.fakes.engine import MULTILINGUAL, FakeEngine
from tests.fakes.front_servers import A, SentRequest, TriedFront
from tests.fakes.parts import fake_parts
from tests.support.waiting import eventually_async
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.front import forwarding
from whisper_runtime.front.kept_answers import takes_results
from whisper_runtime.http.app import create_app
from whisper_runtime.service.parts import RuntimeParts
from whisper_runtime.service.shared import open as opening
from whisper_runtime.service.shared.shared_store import SharedStore

FILE: Final = {"file": ("a.wav", b"speech 5", "audio/wav")}
SAME: Final[dict[str, Any]] = {"files": FILE, "data": {"model": "whisper-1"}}
CLIENT: Final = "192.0.2.1"
HITS: Final = ("whisper_result_cache_requests_total", {"outcome": "hit"})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    with running("valkey", tmp_path_factory.mktemp("store")) as found:
        yield found


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a free processor must not look like a store that is away, nor a request like a slow one."""
    monkeypatch.setattr(opening, "SharedStore", partial(SharedStore, waits=(30.0,), pauses=(0.05,)))
    monkeypatch.setattr(forwarding, "KNOWN_SECONDS", 600.0)


class SharingPods:
    """A front and a server with one store, in this process; the front does not know the server's address."""

    def __init__(self, **config: Any) -> None:
        self.config = config
        self.engine = FakeEngine()
        self.server: RuntimeParts = fake_parts(self.engine, **config)
        self.server.model.has_loaded(MULTILINGUAL, config.get("compute_type", "float32"))
        self.front = TriedFront(**config)
        store = self.front.parts.store
        assert store is not None
        assert self.server.store is not None
        self._tasks = [asyncio.create_task(one) for one in (store.keep(), self.server.store.keep())]

    async def start(self) -> None:
        """Returns once both use the store."""
        ours, theirs = self.front.parts.store, self.server.store
        assert ours is not None
        assert theirs is not None
        await eventually_async("both use the store", lambda: theirs.is_used and ours.in_use)

    async def transcribe(self, address: str = CLIENT, path: str = "/v1/audio/transcriptions", **sent: Any) -> str:
        """The text that the server answers to a request of that client."""
        transport = httpx.ASGITransport(create_app(self.server), client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            answer = await client.post(path, **(sent or SAME))
        assert answer.status_code == 200, answer.text
        return answer.text

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ask(self, path: str = "/v1/audio/transcriptions", *, by: str = CLIENT, **sent: Any) -> SentRequest:
        """What the front answers to a request, which it may send on to a server that knows nothing."""
        self.front.ready(A)
        return await self.front.send(path=path, by=by, **(sent or SAME)).answered()


@pytest.fixture
def config(store: StoreServer, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    (tmp_path / "url").write_text(store.url)
    name = "".join(letter for letter in request.node.name.lower() if letter.isalnum())[:200]
    return {"redis_url_file": str(tmp_path / "url"), "redis_prefix": name, "result_cache_max_bytes": 1024**2}


@pytest.fixture
async def pods(config: dict[str, Any]) -> AsyncIterator[SharingPods]:
    found = SharingPods(**config)
    await found.start()
    yield found
    await found.stop()


def is_hit(answer: SentRequest) -> bool:
    return answer.status == 200 and answer.headers.get("cache-status", "").startswith("whisper; hit; ttl=")


async def test_what_a_server_transcribed_is_answered_without_one(pods: SharingPods) -> None:
    text = await pods.transcribe()
    got = await pods.front.send(**SAME).answered()  # no server is ready: who is sent on waits
    assert (got.body.decode(), is_hit(got), got.headers["age"]) == (text, True, "0")
    assert pods.front.servers.asked == []
    assert pods.front.counted(*HITS[:1], **HITS[1]) == 1
    assert pods.front.counted("whisper_result_cache_saved_audio_seconds_total") == 2.5


@pytest.mark.parametrize("response_format", ["text", "srt", "vtt", "verbose_json"])
async def test_it_is_answered_in_every_format_as_a_server_does(pods: SharingPods, response_format: str) -> None:
    sent: dict[str, Any] = {"files": FILE, "data": {"model": "base", "response_format": response_format}}
    text = await pods.transcribe(**sent)
    got = await pods.ask(**sent)
    assert (got.body.decode(), is_hit(got)) == (text, True)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/audio/transcriptions", {"model": "base", "stream": "true"}),
        ("/v1/audio/translations", {"model": "base"}),
        ("/transcribe", {"timestamp_granularities[]": "word"}),
        ("/transcribe", {"stream": "true"}),
    ],
)
async def test_so_are_streams_and_the_other_routes(pods: SharingPods, path: str, fields: dict[str, str]) -> None:
    sent: dict[str, Any] = {"files": FILE, "data": fields}
    text = await pods.transcribe(path=path, **sent)
    got = await pods.ask(path, **sent)
    assert (got.body.decode(), is_hit(got)) == (text, True)


async def test_a_file_without_a_name_or_type_is_known_as_it_is_at_a_server(pods: SharingPods) -> None:
    bare: dict[str, Any] = {
        "files": {"file": ("a", b"speech 5", "application/octet-stream")},
        "data": {"model": "base"},
    }
    await pods.transcribe(**bare)
    assert is_hit(await pods.ask(**bare))
    named: dict[str, Any] = {"files": {"file": ("a.ulaw", b"speech 5", "audio/basic")}, "data": {"model": "base"}}
    assert not is_hit(await pods.ask(**named))


@pytest.mark.parametrize(
    "fields", [{"language": "de"}, {"prompt": "Kennedy"}, {"vad_filter": "true"}, {"temperature": "0.5"}]
)
async def test_what_changes_the_text_goes_to_a_server(pods: SharingPods, fields: dict[str, str]) -> None:
    await pods.transcribe()
    got = await pods.ask(files=FILE, data={"model": "whisper-1"} | fields)
    assert not is_hit(got)
    assert len(pods.front.servers.asked) == 1


async def test_so_does_another_recording(pods: SharingPods) -> None:
    await pods.transcribe()
    got = await pods.ask(files={"file": ("a.wav", b"speech 6", "audio/wav")}, data={"model": "base"})
    assert not is_hit(got)
    assert b"speech 6" in pods.front.servers.asked[0].body


async def test_nobody_gets_what_was_transcribed_for_another(pods: SharingPods) -> None:
    await pods.transcribe(address="192.0.2.7")
    assert not is_hit(await pods.ask(by=CLIENT))
    assert is_hit(await pods.ask(by="192.0.2.7"))


async def test_but_where_results_are_the_services(config: dict[str, Any]) -> None:
    pods = SharingPods(**config, result_cache_scope="service")
    await pods.start()
    await pods.transcribe(address="192.0.2.7")
    assert is_hit(await pods.ask(by=CLIENT))
    await pods.stop()


@pytest.mark.parametrize(
    ("directives", "hits"),
    [
        ("max-age=600", True),
        ("only-if-cached", True),
        ("max-age=0", False),
        ("no-cache", False),
        ("no-store", False),
        ("min-fresh=999999", False),
    ],
)
async def test_a_client_says_what_it_takes(pods: SharingPods, directives: str, hits: bool) -> None:
    await pods.transcribe()
    got = await pods.ask(**SAME, headers={"Cache-Control": directives})
    assert (is_hit(got), len(pods.front.servers.asked)) == (hits, not hits)


async def test_a_wrong_form_and_a_model_that_is_not_here_are_a_servers_to_refuse(pods: SharingPods) -> None:
    await pods.transcribe()
    await pods.ask(files=FILE, data={"model": "whisper-9"})
    await pods.ask(content=b"no form", headers={"Content-Type": "multipart/form-data; boundary=x"})
    await pods.ask(**SAME, headers={"Prefer": "respond-async"})
    assert len(pods.front.servers.asked) == 3


async def test_a_result_counts_as_a_request_of_its_client_and_one_too_many_is_refused(config: dict[str, Any]) -> None:
    pods = SharingPods(**config, requests_per_minute=3)
    await pods.start()
    await pods.transcribe()
    left = [(await pods.ask()).headers["x-ratelimit-remaining-requests"] for _ in range(2)]
    refused = await pods.ask()
    assert (left, refused.status, json.loads(refused.body)["error"]["code"]) == (["1", "0"], 429, "rate_limit_exceeded")
    assert refused.headers["retry-after"]
    assert pods.front.servers.asked == []
    await pods.ask(files=FILE, data={"model": "base", "prompt": "new"})  # what is not known a server counts
    assert len(pods.front.servers.asked) == 1
    await pods.stop()


@pytest.mark.parametrize("changed", [{"model": "tiny"}, {"compute_type": "float16"}])
async def test_a_front_that_is_configured_for_other_servers_knows_nothing_of_these(
    config: dict[str, Any], pods: SharingPods, changed: dict[str, str]
) -> None:
    await pods.transcribe()
    others = SharingPods(**config | changed)
    await others.start()
    assert not is_hit(await others.ask(files=FILE, data={"model": "whisper-1"}))
    await others.stop()


async def test_a_result_wakes_nobody_and_what_is_not_known_does(pods: SharingPods) -> None:
    await pods.transcribe()
    demand, idle = pods.front.parts.demand, list[float]()
    idle.append(demand.report().idle_seconds)
    await pods.front.send(**SAME).answered()
    idle.append(demand.report().idle_seconds)
    assert idle[0] <= idle[1]
    waiting = pods.front.upload(b"unknown")
    await pods.front.until(lambda: demand.report().held_requests)
    waiting.hang_up()
    await waiting.answered()


async def test_a_body_that_takes_long_to_come_is_work_for_a_server(
    pods: SharingPods, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow upload wakes one before its end, or its client would wait for both."""
    looking = asyncio.Event()

    async def looks(*_: Any) -> list[Message]:
        await looking.wait()
        return []

    monkeypatch.setattr(forwarding, "KNOWN_SECONDS", 0.0)
    monkeypatch.setattr(pods.front.parts.kept, "answer", looks)
    waiting = pods.front.send(**SAME)
    await pods.front.until(lambda: pods.front.parts.demand.report().held_requests)
    waiting.hang_up()
    await waiting.answered()


async def test_without_the_store_all_goes_to_servers(pods: SharingPods, store: StoreServer) -> None:
    await pods.transcribe()
    kept = pods.front.parts.kept
    assert kept is not None
    store.kill()
    try:
        assert not is_hit(await pods.ask())
        assert len(pods.front.servers.asked) == 1
    finally:
        store.start()


@pytest.mark.parametrize(
    ("changed", "takes"),
    [
        ({}, True),
        ({"redis_url_file": None}, False),
        ({"result_cache_max_bytes": None}, False),
        ({"model": "mine"}, False),
        ({"model": "mine", "model_sha256": "a" * 64}, True),
    ],
)
def test_a_front_knows_results_by_one_checkpoint_and_from_a_store(changed: dict[str, Any], takes: bool) -> None:
    of_all: dict[str, Any] = {"model": "base", "redis_url_file": "/url", "result_cache_max_bytes": 1}
    assert takes_results(RuntimeConfig(**of_all | changed)) is takes


async def test_requests_that_come_first_and_at_once_are_answered_alike(pods: SharingPods) -> None:
    text = await pods.transcribe()
    first = await asyncio.gather(*(pods.front.send(**SAME).answered() for _ in range(4)))
    assert [(one.body.decode(), is_hit(one)) for one in first] == [(text, True)] * 4
