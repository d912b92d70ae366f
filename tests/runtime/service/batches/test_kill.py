"""Whatever write the server dies at, each batch that it has taken in ends once, each line with its right answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.webhook_receiver import WebhookReceiver
from tests.support.killed_servers import KilledServers, killed_servers
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

FILES, BATCHES, ENDPOINT = "/v1/files", "/v1/batches", "/v1/audio/transcriptions"
MOST_WRITES = 150
"""A round has fewer."""
SECONDS = 180
"""The longest that a test waits."""
LENGTHS = (0.25, 0.5, 0.75)
"""Of a round's recordings, each in a line of its own; the text is the length."""


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[KilledServers]:
    with killed_servers(tmp_path) as servers:
        yield servers


@dataclass
class AcceptedBatches:
    """What of one round the client has an answer for."""

    webhook_url: str
    files: list[str] = field(default_factory=list[str])
    batches: list[str] = field(default_factory=list[str])
    cancelled: set[str] = field(default_factory=set[str])
    """Ids whose cancellation was sent, whether it was answered or not."""


def upload(client: httpx.Client, accepted: AcceptedBatches, content: bytes, purpose: str) -> str:
    answer = client.post(FILES, files={"file": ("a", content)}, data={"purpose": purpose})
    assert answer.status_code == 200, answer.text
    accepted.files.append(answer.json()["id"])
    return accepted.files[-1]


def line(name: str, file_id: str) -> bytes:
    return json.dumps({"custom_id": name, "body": {"model": "base", "file_id": file_id}}).encode() + b"\n"


def one_round(client: httpx.Client, accepted: AcceptedBatches) -> None:
    """Two batches, one of which is cancelled at its beginning. Raises TransportError: the server died."""
    audio = [upload(client, accepted, f"speech {one}".encode(), "user_data") for one in LENGTHS]
    lines = [line(f"{one}", file_id) for one, file_id in zip(LENGTHS, audio, strict=True)]
    source = upload(client, accepted, b"".join((*lines, line("wrong", "file-1"))), "batch")
    wanted = {"completion_window": "24h", "endpoint": ENDPOINT, "input_file_id": source}
    wanted["webhook_url"] = accepted.webhook_url
    for _ in range(2):
        answer = client.post(BATCHES, json=wanted)
        assert answer.status_code == 200, answer.text
        accepted.batches.append(answer.json()["id"])
    accepted.cancelled.add(accepted.batches[1])
    client.post(f"{BATCHES}/{accepted.batches[1]}/cancel")
    for batch_id in accepted.batches:
        ended(client, batch_id)


def ended(client: httpx.Client, batch_id: str) -> dict[str, Any]:
    """The batch, once it has ended."""
    found: list[dict[str, Any]] = []

    def is_so() -> bool:
        found[:] = [client.get(f"{BATCHES}/{batch_id}").json()]
        return found[0]["status"] in ("completed", "failed", "expired", "cancelled")

    eventually(f"{batch_id} has ended", is_so, SECONDS)
    return found[0]


def lines_of(client: httpx.Client, file_id: str | None) -> list[dict[str, Any]]:
    content = client.get(f"{FILES}/{file_id}/content").text if file_id else ""
    return [json.loads(one) for one in content.splitlines()]


def check(client: httpx.Client, accepted: AcceptedBatches, receiver: WebhookReceiver, number: int) -> None:
    for batch_id in accepted.batches:
        batch = ended(client, batch_id)
        allowed = {"completed", "cancelled"} if batch_id in accepted.cancelled else {"completed"}
        assert batch["status"] in allowed, (number, batch)
        done, failed = (lines_of(client, batch[f"{kind}_file_id"]) for kind in ("output", "error"))
        names = [one["custom_id"] for one in done]
        assert names == sorted(names), (number, names)
        for one in done:
            assert one["response"]["body"]["text"] == f"{one['custom_id']} s", (number, one)
        wanted = [] if batch["request_counts"]["total"] == 0 else sorted((*map(str, LENGTHS), "wrong"))
        assert sorted((*names, *(one["custom_id"] for one in failed))) == wanted, (number, batch)
        if batch["status"] == "completed":
            assert [one["custom_id"] for one in failed] == ["wrong"], (number, [one["response"] for one in failed])
        check_told(client, batch, receiver, number)


def check_told(client: httpx.Client, batch: dict[str, Any], receiver: WebhookReceiver, number: int) -> None:
    """Its end is told, as one event."""
    path = f"{BATCHES}/{batch['id']}"
    eventually("the end is told", lambda: client.get(path).json()["webhook"]["status"] == "delivered", SECONDS)
    told = [one for one in receiver.received if one.event["data"]["id"] == batch["id"]]
    assert {one.event["type"] for one in told} == {f"batch.{batch['status']}"}, number
    assert len({one.headers["webhook-id"] for one in told}) == len({one.body for one in told}) == 1, number


def clear(client: httpx.Client, directory: Path, number: int) -> None:
    """Deletes all that there is; nothing is left on the disk then."""
    for batch in client.get(BATCHES).json()["data"]:
        ended(client, batch["id"])  # also one whose client had no answer any more
    for file in client.get(FILES).json()["data"]:
        assert client.delete(f"{FILES}/{file['id']}").status_code == 200
    for job in client.get(ENDPOINT).json()["data"]:
        client.delete(f"{ENDPOINT}/{job['id']}")
    for folder in ("files", "batches/files"):
        assert list((directory / "jobs" / folder).iterdir()) == [], number


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.long), 7], ids=["every write", "some writes"])
def test_a_server_that_dies_at_any_write_loses_no_line(servers: KilledServers, tmp_path: Path, step: int) -> None:
    for number in range(1, MOST_WRITES, step):
        accepted = AcceptedBatches(servers.receiver.url.replace("127.0.0.1", "localhost"))
        servers.start(number)
        try:
            eventually("the server is up, or dead", lambda: servers.is_up() or not servers.is_alive, SECONDS)
            one_round(servers.client, accepted)
        except httpx.TransportError:
            pass
        if servers.end() == 0:
            break
        servers.start(0)
        eventually("the server is up again", servers.is_up, SECONDS)
        for file_id in accepted.files:
            assert servers.client.get(f"{FILES}/{file_id}").status_code == 200, (number, file_id)
        check(servers.client, accepted, servers.receiver, number)
        clear(servers.client, tmp_path, number)
        assert servers.end() == 0
    assert len(servers.ended) > 60 / step  # up to the last write of the round
    assert servers.ended[-1] == 0
