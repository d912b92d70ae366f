"""A recording at a URL is transcribed as an upload is: within the same bounds of bytes, disk, rates, queue and time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.mirror import Mirror, MirrorRequest, cut, refusing, serving, stalling, whole
from tests.runtime.conftest import PartsOf, Start, speech
from tests.support.counted_socket import counted_socket, was_connected_to
from whisper_runtime.engine.transcription import Options
from whisper_runtime.service.disk_quota import STEP
from whisper_runtime.service.downloads import MOST_AT_ONCE, MOST_OF_ONE_CLIENT, RemoteFile

TRANSCRIPTIONS = "/v1/audio/transcriptions"
LOOPBACK = ("127.0.0.0/8", "::1")
OPENAIS = {"model": "whisper-1"}


@pytest.fixture
def server() -> Iterator[Mirror]:
    with serving(Mirror(b"speech 10", [whole])) as mirror:
        yield mirror


def url_of(server: Mirror, path: str = "/a.mp3") -> str:
    return f"http://localhost:{httpx.URL(server.url).port}{path}"


def allowing(server: Mirror, **config: Any) -> dict[str, Any]:
    """The configuration of a runtime that may fetch from `server`."""
    hosts = (url_of(server, ""),)
    return {"audio_url_allowed_hosts": hosts, "audio_url_private_networks": LOOPBACK, **config}


def endless(request: MirrorRequest) -> None:
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    try:
        while True:
            request.wfile.write(b"400\r\n" + b"." * 1024 + b"\r\n")
    except OSError:  # the runtime hung up
        request.close_connection = True


def dripping(request: MirrorRequest) -> None:
    """A byte each 20 ms, without an end."""
    request.send_response(200)
    request.end_headers()
    try:
        while not request.mirror.over.wait(0.02):
            request.wfile.write(b".")
    except OSError:
        request.close_connection = True


def declaring(size: int) -> Any:
    def respond(request: MirrorRequest) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(size))
        request.end_headers()
        request.close_connection = True

    return respond


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/transcribe", {}),
        (TRANSCRIPTIONS, OPENAIS),
        ("/v1/audio/translations", OPENAIS),
        ("/openai/v1/audio/transcriptions", OPENAIS),
    ],
)
async def test_each_route_takes_a_url(
    start: Start, engine: FakeEngine, server: Mirror, path: str, data: dict[str, str]
) -> None:
    answer = await start(**allowing(server)).post(path, data={**data, "url": url_of(server)})
    assert (answer.status_code, answer.json()["text"].strip()) == (200, "Ask not.")
    assert engine.num_samples == [160_000]


async def test_a_multipart_form_without_a_file_has_a_url(start: Start, server: Mirror) -> None:
    """As Groq's client sends it."""
    form = {name: (None, value) for name, value in (OPENAIS | {"url": url_of(server)}).items()}
    assert (await start(**allowing(server)).post(TRANSCRIPTIONS, files=form)).status_code == 200


async def test_a_stream_of_a_url(start: Start, server: Mirror) -> None:
    data = OPENAIS | {"url": url_of(server), "stream": "true"}
    answer = await start(**allowing(server)).post(TRANSCRIPTIONS, data=data)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "transcript.text.done" in answer.text


async def test_the_decoder_gets_what_the_server_says_of_the_file(start: Start, server: Mirror) -> None:
    answer = await start(**allowing(server)).post("/transcribe", data={"url": url_of(server, "/track.ul?signature=1")})
    assert answer.headers["x-audio-track"].startswith('0; codec="opus"')


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"", 400, "empty_file"), (b"MZ", 400, "not_audio"), (b"speech 99", 413, "audio_too_long")],
)
async def test_a_bad_file_is_the_urls_fault(
    start: Start, server: Mirror, content: bytes, status: int, code: str
) -> None:
    server.content = content
    answer = await start(**allowing(server, max_audio_seconds=60)).post("/transcribe", data={"url": url_of(server)})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, "url")


@pytest.mark.parametrize(
    ("url", "config", "code", "says"),
    [
        ("http://localhost:1/a", {}, "unsupported_parameter", "`url` is not supported by this server"),
        ("http://other.test/a", {"audio_url_allowed_hosts": ("files.test",)}, "url_not_allowed", "is on other.test"),
        ("http://localhost:1/a", {"audio_url_allowed_hosts": ("http://localhost:1",)}, "url_not_allowed", "address"),
        ("a.mp3", {"audio_url_allowed_hosts": ("files.test",)}, "invalid_value", "https://files.example.com/a.mp3"),
    ],
)
async def test_a_url_that_is_not_fetched_names_the_remedy(
    start: Start, url: str, config: dict[str, Any], code: str, says: str
) -> None:
    answer = await start(**config).post("/transcribe", data={"url": url})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, "url")
    assert says in error["message"]
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("respond", "status", "code"),
    [
        (refusing(404), 400, "url_not_readable"),
        (refusing(503), 502, "url_failed"),
        (cut(0.5), 502, "url_failed"),
        (declaring(1001), 413, "upload_too_large"),
        (endless, 413, "upload_too_large"),
        (declaring(10**17), 413, "upload_too_large"),
    ],
)
async def test_what_another_server_does_wrong(
    start: Start, server: Mirror, respond: Any, status: int, code: str
) -> None:
    server.answers = [respond]
    answer = await start(**allowing(server, max_upload_bytes=1000)).post("/transcribe", data={"url": url_of(server)})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, "url")


@pytest.mark.parametrize("respond", [dripping, stalling(0.5)])
async def test_a_slow_server_has_half_of_the_requests_time(start: Start, server: Mirror, respond: Any) -> None:
    server.answers = [respond]
    answer = await start(**allowing(server, request_timeout_seconds=1)).post(
        "/transcribe", data={"url": url_of(server)}
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (502, "url_too_slow")
    assert "takes longer than 0.5 s" in error["message"]


async def test_a_full_queue_and_a_used_up_rate_refuse_before_anything_is_fetched(
    start: Start, engine: FakeEngine
) -> None:
    with counted_socket() as server:
        url = f"http://localhost:{server.getsockname()[1]}"
        hosts = {"audio_url_allowed_hosts": (url,), "audio_url_private_networks": LOOPBACK}
        engine.queued_audio_seconds = 10
        full = await start(max_queued_audio_seconds=10, **hosts).post("/transcribe", data={"url": url})
        engine.queued_audio_seconds = 0
        client = start(requests_per_minute=1, **hosts)
        await client.post("/transcribe", files=speech())
        late = await client.post("/transcribe", data={"url": url})
        assert [answer.json()["error"]["code"] for answer in (full, late)] == ["queue_full", "rate_limit_exceeded"]
        assert not was_connected_to(server)


async def test_a_wrong_field_refuses_before_anything_is_fetched(start: Start) -> None:
    with counted_socket() as server:
        url = f"http://localhost:{server.getsockname()[1]}"
        client = start(audio_url_allowed_hosts=(url,), audio_url_private_networks=LOOPBACK)
        for wrong in (
            {"language": "xx"},
            {"model": "gpt-4"},
            {"response_format": "verbose_json", "include[]": "logprobs"},
        ):
            answer = await client.post(TRANSCRIPTIONS, data=OPENAIS | {"url": url} | wrong)
            assert answer.status_code in (400, 404)
        assert not was_connected_to(server)


async def test_a_download_that_fails_counts_as_a_request(start: Start, server: Mirror) -> None:
    """Or a client could have this server ask another one as often as it likes."""
    server.answers = [refusing(500)]
    client = start(**allowing(server, requests_per_minute=1))
    answers = [await client.post("/transcribe", data={"url": url_of(server)}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [502, 429]
    assert len(server.requests) == 1


async def test_a_download_takes_its_disk_as_it_comes_and_gives_it_back(
    parts_of: PartsOf, start: Start, server: Mirror
) -> None:
    parts = parts_of(**allowing(server, max_scratch_bytes=2 * STEP))
    client = start(parts)
    with parts.admission.disk.reservation("bob") as other:
        other.set(2 * STEP)
        full = await client.post("/transcribe", data={"url": url_of(server)})
    assert (full.status_code, full.json()["error"]["code"]) == (503, "scratch_full")
    assert (await client.post("/transcribe", data={"url": url_of(server)})).status_code == 200
    assert parts.admission.disk.used == 0


async def test_a_request_that_ends_ends_its_download(parts_of: PartsOf, server: Mirror) -> None:
    sees_its_end, has_begun = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def watched(request: MirrorRequest) -> None:
        loop.call_soon_threadsafe(has_begun.set)
        dripping(request)
        loop.call_soon_threadsafe(sees_its_end.set)

    server.answers = [watched]
    parts = parts_of(**allowing(server))
    with parts.admission.at_the_door("alice", 100) as admitted:
        work = asyncio.create_task(parts.transcriber.transcribe(RemoteFile(url_of(server)), admitted, Options()))
        async with asyncio.timeout(60):
            await has_begun.wait()
            work.cancel()
            await sees_its_end.wait()
    assert (parts.admission.disk.used, parts.admission.shares.coming()) == (0, (0, 0))


@pytest.mark.parametrize(
    ("clients", "status", "code"),
    [
        (["me"] * MOST_OF_ONE_CLIENT, 429, "client_downloads_full"),
        ([str(number) for number in range(MOST_AT_ONCE)], 503, "downloads_full"),
    ],
)
async def test_only_so_many_downloads_at_once(
    parts_of: PartsOf, server: Mirror, clients: list[str], status: int, code: str
) -> None:
    arrived, loop = asyncio.Semaphore(0), asyncio.get_running_loop()

    def stalls(request: MirrorRequest) -> None:
        loop.call_soon_threadsafe(arrived.release)
        stalling(0.0)(request)

    server.answers = [stalls]
    parts = parts_of(**allowing(server))

    async def ask(client: str) -> None:
        with parts.admission.at_the_door(client, 100) as admitted:
            await parts.transcriber.transcribe(RemoteFile(url_of(server)), admitted, Options())

    asked = [asyncio.create_task(ask(client)) for client in clients]
    async with asyncio.timeout(60):
        for _ in clients:
            await arrived.acquire()
    with pytest.raises(Exception, match="recordings are being fetched") as refused:
        await ask("me")
    assert (getattr(refused.value, "status_code", 0), getattr(refused.value, "body", {})["code"]) == (status, code)
    for one in asked:
        one.cancel()
    await asyncio.gather(*asked, return_exceptions=True)


async def test_the_log_names_the_server_and_neither_path_nor_query(
    start: Start, server: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await start(**allowing(server)).post("/transcribe", data={"url": url_of(server, "/secret?signature=x")})
    assert "fetched 9 bytes from localhost" in caplog.text
    ours = [record for record in caplog.records if record.name.startswith("whisper_runtime")]
    assert not [record for record in ours if "secret" in record.getMessage() or "signature" in record.getMessage()]


async def test_the_time_that_it_takes_is_a_stage(parts_of: PartsOf, start: Start, server: Mirror) -> None:
    parts = parts_of(**allowing(server))
    client = start(parts)
    for form in ({"data": {"url": url_of(server)}}, {"files": speech()}):
        await client.post("/transcribe", **form)
    counted = parts.metrics.registry.get_sample_value("whisper_stage_duration_seconds_count", {"stage": "download"})
    assert counted == 1
