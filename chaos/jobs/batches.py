"""One round's batches: what their client does with them, and what it must find when all is over."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.fakes.webhook_receiver import WebhookReceiver
from tests.support.waiting import eventually

FILES: Final = "/v1/files"
BATCHES: Final = "/v1/batches"
ENDPOINT: Final = "/v1/audio/transcriptions"
SECONDS: Final = 180
"""The longest that a client waits."""
LENGTHS: Final = (0.25, 0.5, 0.75)
"""Of a round's recordings, each in a line of its own; the text is the length."""
WRONG: Final = "wrong"
"""The name of a line whose file there is not."""


@dataclass
class AcceptedBatches:
    """What of one round the client has an answer for."""

    receiver: str
    """The URL of what is told of their ends."""
    files: list[str] = field(default_factory=list[str])
    batches: list[str] = field(default_factory=list[str])
    cancelled: set[str] = field(default_factory=set[str])
    """Ids whose cancellation was sent, whether it was answered or not."""


def begin_round(client: httpx.Client, accepted: AcceptedBatches) -> None:
    """Two batches, one of which is cancelled at its beginning. Raises TransportError: the server died."""
    audio = [_uploaded(client, accepted, f"speech {one}".encode(), "user_data") for one in LENGTHS]
    lines = [_line(f"{one}", file_id) for one, file_id in zip(LENGTHS, audio, strict=True)]
    source = _uploaded(client, accepted, b"".join((*lines, _line(WRONG, "file-1"))), "batch")
    wanted = {"completion_window": "24h", "endpoint": ENDPOINT, "input_file_id": source}
    for _ in range(2):
        answer = client.post(BATCHES, json=wanted | {"webhook_url": accepted.receiver})
        assert answer.status_code == 200, answer.text
        accepted.batches.append(answer.json()["id"])
    accepted.cancelled.add(accepted.batches[1])
    client.post(f"{BATCHES}/{accepted.batches[1]}/cancel")


def end_round(client: httpx.Client, accepted: AcceptedBatches) -> None:
    """Waits for them. Raises TransportError: the server died."""
    for batch_id in accepted.batches:
        ended(client, batch_id)


def _uploaded(client: httpx.Client, accepted: AcceptedBatches, content: bytes, purpose: str) -> str:
    answer = client.post(FILES, files={"file": ("a", content)}, data={"purpose": purpose})
    assert answer.status_code == 200, answer.text
    accepted.files.append(answer.json()["id"])
    return accepted.files[-1]


def _line(name: str, file_id: str) -> bytes:
    return json.dumps({"custom_id": name, "body": {"model": "base", "file_id": file_id}}).encode() + b"\n"


def ended(client: httpx.Client, batch_id: str) -> dict[str, Any]:
    """The batch, once it has ended."""
    found: list[dict[str, Any]] = []

    def is_so() -> bool:
        found[:] = [client.get(f"{BATCHES}/{batch_id}").json()]
        return found[0]["status"] in ("completed", "failed", "expired", "cancelled")

    eventually(f"{batch_id} has ended", is_so, SECONDS)
    return found[0]


def _lines_of(client: httpx.Client, file_id: str | None) -> list[dict[str, Any]]:
    content = client.get(f"{FILES}/{file_id}/content").text if file_id else ""
    return [json.loads(one) for one in content.splitlines()]


def check(
    client: httpx.Client, accepted: AcceptedBatches, receiver: WebhookReceiver, number: int
) -> Counter[tuple[str, str]]:
    """Each file is there; each batch ends once, in order and right, and tells it as one event.

    Returns how many batches, and lines of them, ended in which way. Raises AssertionError.
    """
    for file_id in accepted.files:
        assert client.get(f"{FILES}/{file_id}").status_code == 200, (number, file_id)
    outcomes = Counter[tuple[str, str]]()
    for batch_id in accepted.batches:
        batch = ended(client, batch_id)
        is_cancelled = batch_id in accepted.cancelled
        allowed = {"completed", "cancelled"} if is_cancelled else {"completed"}
        assert batch["status"] in allowed, (number, batch)
        done, failed = (_lines_of(client, batch[f"{kind}_file_id"]) for kind in ("output", "error"))
        _check_lines(batch, done, failed, number)
        _check_told(client, batch, receiver, number)
        outcomes["cancelled batch" if is_cancelled else "batch", batch["status"]] += 1
        outcomes["line", "completed"] += len(done)
        outcomes["line", "error, as it should" if batch["status"] == "completed" else "cancelled"] += len(failed)
    return outcomes


def _check_lines(
    batch: dict[str, Any], done: Sequence[dict[str, Any]], failed: Sequence[dict[str, Any]], number: int
) -> None:
    names, others = [one["custom_id"] for one in done], [one["custom_id"] for one in failed]
    assert names == sorted(names), (number, names)
    for one in done:
        assert one["response"]["body"]["text"] == f"{one['custom_id']} s", (number, one)
    wanted = [] if batch["request_counts"]["total"] == 0 else sorted((*map(str, LENGTHS), WRONG))
    assert sorted((*names, *others)) == wanted, (number, batch)
    if batch["status"] == "completed":
        assert others == [WRONG], (number, [one["response"] for one in failed])


def _check_told(client: httpx.Client, batch: dict[str, Any], receiver: WebhookReceiver, number: int) -> None:
    path = f"{BATCHES}/{batch['id']}"
    eventually("the end is told", lambda: client.get(path).json()["webhook"]["status"] == "delivered", SECONDS)
    told = [one for one in receiver.received if one.event["data"]["id"] == batch["id"]]
    assert {one.event["type"] for one in told} == {f"batch.{batch['status']}"}, number
    assert len({one.headers["webhook-id"] for one in told}) == len({one.body for one in told}) == 1, number


def clear(client: httpx.Client) -> None:
    """Deletes all files, once every batch has ended."""
    for batch in client.get(BATCHES).json()["data"]:
        ended(client, batch["id"])  # also one whose client had no answer any more
    for file in client.get(FILES).json()["data"]:
        assert client.delete(f"{FILES}/{file['id']}").status_code == 200
