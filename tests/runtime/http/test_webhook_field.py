"""An address is refused at the door, or is told of the job's end; a client sees what became of that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.webhook_receiver import SECRET, WebhookReceiver, answering_with, receiving
from tests.runtime.conftest import speech
from tests.runtime.http.conftest import Serve
from tests.support.counted_socket import counted_socket, was_connected_to

TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"
ASYNC = {"Prefer": "respond-async"}
LOOPBACK = ("127.0.0.0/8", "::1")


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def secrets_dir(tmp_path: Path) -> str:
    directory = tmp_path / "secrets"
    directory.mkdir()
    (directory / "a").write_text(SECRET)
    return str(directory)


def host_of(receiver: WebhookReceiver) -> str:
    return f"http://localhost:{httpx.URL(receiver.url).port}"


async def post(
    client: httpx.AsyncClient, url: str, path: str = TRANSCRIPTIONS, headers: dict[str, str] = ASYNC
) -> httpx.Response:
    data = {"model": "base", "webhook_url": url}
    return await client.post(path, files=speech(), data=data, headers=headers)


async def settled(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """The job, once its event is not pending any more."""
    while True:
        job = (await client.get(path, params={"wait": 20})).json()
        if job["webhook"]["status"] in ("delivered", "abandoned"):
            return job
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
async def test_the_address_of_a_job_is_told_of_its_end(
    serve: Serve, receiver: WebhookReceiver, secrets_dir: str, path: str
) -> None:
    host = host_of(receiver)
    client = serve(webhook_allowed_hosts=(host,), webhook_private_networks=LOOPBACK, webhook_secrets_dir=secrets_dir)
    answer = await post(client, f"{host}/hook?a=b", path=path)
    assert answer.status_code == 202
    assert "x-ignored-fields" not in answer.headers
    unsent = {"status": None, "event": None, "attempts": 0, "next_attempt_at": None, "last_error": None}
    assert answer.json()["webhook"] == {"url": f"{host}/hook?a=b", **unsent}
    (got,) = await asyncio.to_thread(receiver.until_received)
    with openai.OpenAI(api_key="none", webhook_secret=SECRET) as official:
        event = official.webhooks.unwrap(got.body, got.headers)
    assert (event.type, event.data.id) == ("transcription.completed", answer.json()["id"])
    assert b"Ask not" not in got.body
    job = await settled(client, answer.headers["location"])
    sent = {"event": "transcription.completed", "attempts": 1, "next_attempt_at": None, "last_error": None}
    assert job["webhook"] == {"url": f"{host}/hook?a=b", "status": "delivered", **sent}
    (listed,) = (await client.get(TRANSCRIPTIONS)).json()["data"]
    assert listed["webhook"] == job["webhook"]


async def test_the_last_failure_is_in_the_job(serve: Serve, engine: FakeEngine, secrets_dir: str) -> None:
    with receiving(answering_with(410)) as receiver:
        host = host_of(receiver)
        client = serve(
            webhook_allowed_hosts=(host,), webhook_private_networks=LOOPBACK, webhook_secrets_dir=secrets_dir
        )
        job = await settled(client, (await post(client, host)).headers["location"])
    assert (job["webhook"]["status"], job["webhook"]["attempts"]) == ("abandoned", 1)
    assert job["webhook"]["last_error"] == "`webhook_url` answered 410, so that it gets this event no more."
    assert job["status"] == "completed"


async def test_a_job_that_asks_for_none_has_none(serve: Serve, receiver: WebhookReceiver, secrets_dir: str) -> None:
    client = serve(webhook_allowed_hosts=("hooks.example.com",), webhook_secrets_dir=secrets_dir)
    answer = await post(client, "")
    assert (answer.status_code, answer.json()["webhook"]) == (202, None)


@pytest.mark.parametrize(
    ("url", "code", "remedy"),
    [
        ("https://evil.example.com/", "webhook_url_not_allowed", "have the server's operator allow the host"),
        ("http://hooks.example.com/", "webhook_url_not_allowed", "does not connect by http"),
        ("https://hooks.example.com:8443/", "webhook_url_not_allowed", "port 8443"),
        ("https://127.0.0.1/", "webhook_url_not_allowed", "allow the host"),
        ("https://[::1]/", "webhook_url_not_allowed", "allow the host"),
        ("https://2130706433/", "webhook_url_not_allowed", "allow the host"),
        ("https://user:secret@hooks.example.com/", "invalid_value", "send for example https://hooks.example.com"),
        ("hooks.example.com", "invalid_value", "send for example"),
        ("file:///etc/passwd", "invalid_value", "send for example"),
        ("https://hooks.example.com/" + "a" * 2048, "invalid_value", "2048"),
    ],
)
async def test_an_address_that_is_not_allowed_is_refused(
    serve: Serve, secrets_dir: str, url: str, code: str, remedy: str
) -> None:
    client = serve(webhook_allowed_hosts=("hooks.example.com",), webhook_secrets_dir=secrets_dir)
    answer = await post(client, url)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, "webhook_url")
    assert remedy in error["message"]
    assert "secret" not in error["message"]
    assert (await client.get(TRANSCRIPTIONS)).json()["data"] == []


async def test_a_listed_name_of_a_private_address_is_refused_and_not_connected_to(
    serve: Serve, secrets_dir: str
) -> None:
    with counted_socket("::") as listener:
        host = f"http://localhost:{listener.getsockname()[1]}"
        client = serve(webhook_allowed_hosts=(host,), webhook_secrets_dir=secrets_dir)
        answer = await post(client, host)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "webhook_url_not_allowed")
        assert not was_connected_to(listener)


async def test_a_request_that_becomes_no_job_has_no_webhook(serve: Serve, secrets_dir: str) -> None:
    client = serve(webhook_allowed_hosts=("hooks.example.com",), webhook_secrets_dir=secrets_dir)
    for path in (TRANSCRIPTIONS, TRANSLATIONS):
        answer = await post(client, "https://hooks.example.com/", headers={}, path=path)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "webhook_url")
        assert "`Prefer: respond-async`" in answer.json()["error"]["message"]


@pytest.mark.parametrize("headers", [{}, ASYNC])
async def test_webhooks_are_off_unless_hosts_are_listed(serve: Serve, headers: dict[str, str]) -> None:
    answer = await post(serve(), "https://hooks.example.com/", headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "unsupported_parameter", "webhook_url")
    assert "leave it out" in error["message"]


async def test_a_deleted_job_is_told_to_nobody(serve: Serve, engine: FakeEngine, secrets_dir: str) -> None:
    with receiving(answering_with(500)) as receiver:
        host = host_of(receiver)
        client = serve(
            webhook_allowed_hosts=(host,), webhook_private_networks=LOOPBACK, webhook_secrets_dir=secrets_dir
        )
        path = (await post(client, host)).headers["location"]
        await asyncio.to_thread(receiver.until_received)
        assert (await client.delete(path)).status_code == 200
        second = (await post(client, host)).headers["location"]
        await asyncio.to_thread(receiver.until_received, 2)
        assert [one.event["data"]["id"] for one in receiver.received][1] == second.rpartition("/")[2]
