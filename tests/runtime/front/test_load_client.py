"""A server is asked at its port for the cluster, and what is no server of ours is none."""

from __future__ import annotations

import httpx
import pytest

from tests.fakes.front_servers import load_report
from whisper_runtime.front.load_client import LONGEST_REPORT, LoadClient, NoServer
from whisper_runtime.front.servers import ServerAddress

ADDRESS = ServerAddress("10.0.0.1", 8000)


def client(answer: httpx.Response | Exception) -> LoadClient:
    def answered(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://10.0.0.1:9000/load"
        if isinstance(answer, Exception):
            raise answer
        return answer

    return LoadClient(httpx.MockTransport(answered))


async def test_what_it_says_is_read() -> None:
    report = load_report(queued_audio_seconds=12.5)
    answer = httpx.Response(200, content=report.model_dump_json(by_alias=True))
    assert await client(answer).ask(ADDRESS) == report


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("connection refused"),
        httpx.RemoteProtocolError("no HTTP"),
        httpx.Response(404, content=b"{}"),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=bytes(LONGEST_REPORT + 1)),
    ],
)
async def test_what_is_no_server_of_ours_is_none(answer: httpx.Response | Exception) -> None:
    with pytest.raises(NoServer):
        await client(answer).ask(ADDRESS)


@pytest.mark.parametrize("error", [httpx.ConnectTimeout("no answer"), httpx.ReadTimeout("no answer")])
async def test_of_what_does_not_answer_nothing_is_said(error: Exception) -> None:
    with pytest.raises(TimeoutError):
        await client(error).ask(ADDRESS)
