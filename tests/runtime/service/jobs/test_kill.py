"""Whatever write the server dies at, each job that it has accepted ends once, with the right text, and says so."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.killed_process import ENDLESS
from tests.fakes.webhook_receiver import WebhookReceiver
from tests.support.killed_servers import KilledServers, killed_servers
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

TRANSCRIPTIONS = "/v1/audio/transcriptions"
MOST_WRITES = 100
"""A round has fewer."""
SECONDS = 180
"""The longest that a test waits."""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[KilledServers]:
    with killed_servers(tmp_path) as servers:
        yield servers


@dataclass
class AcceptedJobs:
    """The jobs of one round that the client has an answer for, by their ids; each recording has a length of its own."""

    webhook_url: str
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    cancelled: set[str] = field(default_factory=set[str])
    """Ids whose cancellation was sent, whether it was answered or not."""
    deleted: set[str] = field(default_factory=set[str])


def submit(client: httpx.Client, accepted: AcceptedJobs, seconds: float) -> str:
    """Submits a recording, or the same one again; returns the id of its job."""
    headers = {"Prefer": "respond-async", "Idempotency-Key": f"{seconds}"}
    data = {"model": "base", "webhook_url": accepted.webhook_url}
    files = {"file": ("a.wav", f"speech {seconds}".encode())}
    answer = client.post(TRANSCRIPTIONS, files=files, data=data, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    location = answer.headers.get("location") or answer.headers["content-location"].removesuffix("/content")
    job_id = location.rpartition("/")[2]
    assert accepted.seconds.setdefault(job_id, seconds) == seconds
    return job_id


def one_round(client: httpx.Client, accepted: AcceptedJobs, number: int) -> None:
    """Three jobs: one is read, one cancelled, one deleted once it is done. Raises TransportError: the server died."""
    ids = [submit(client, accepted, number + part) for part in (0.25, 0.5, 0.75)]
    accepted.cancelled.add(ids[1])
    client.post(f"{TRANSCRIPTIONS}/{ids[1]}/cancel")
    for job_id in (ids[0], ids[2]):
        status(client, job_id, wait=30)
    accepted.deleted.add(ids[2])
    client.delete(f"{TRANSCRIPTIONS}/{ids[2]}")
    for job_id in ids[:2]:
        until_told(client, job_id)


def status(client: httpx.Client, job_id: str, wait: int = 0) -> str:
    answer = client.get(f"{TRANSCRIPTIONS}/{job_id}", params={"wait": wait})
    return str(answer.status_code) if answer.status_code == 410 else answer.json()["status"]


def until_told(client: httpx.Client, job_id: str) -> None:
    """Waits until the receiver is told of the job's end."""

    def is_told() -> bool:
        return client.get(f"{TRANSCRIPTIONS}/{job_id}").json()["webhook"]["status"] == "delivered"

    eventually(f"the end of {job_id} is told", is_told, SECONDS)


def listed(client: httpx.Client) -> list[dict[str, Any]]:
    return client.get(TRANSCRIPTIONS, params={"limit": 100}).json()["data"]


def check(client: httpx.Client, accepted: AcceptedJobs, receiver: WebhookReceiver, number: int) -> None:
    """Each accepted job ends once, and right, and tells it as one event; the same upload is never two jobs."""
    for job_id, seconds in accepted.seconds.items():
        found = status(client, job_id, wait=60)
        allowed = {"completed"}
        if job_id in accepted.cancelled:
            allowed.add("cancelled")
        if job_id in accepted.deleted:
            allowed.add("410")
        assert found in allowed, (number, job_id, found)
        if found == "completed":
            for _ in range(2):
                content = client.get(f"{TRANSCRIPTIONS}/{job_id}/content")
                assert content.json()["text"] == f"{seconds} s", (number, content.text)
        if found != "410":
            until_told(client, job_id)
            told = [one for one in receiver.received if one.event["data"]["id"] == job_id]
            assert {one.event["type"] for one in told} == {f"transcription.{found}"}, (number, job_id)
            assert len({one.headers["webhook-id"] for one in told}) == len({one.body for one in told}) == 1


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.long), 3], ids=["every write", "some writes"])
def test_a_server_that_dies_at_any_write_loses_no_job(processes: KilledServers, tmp_path: Path, step: int) -> None:
    for number in range(1, MOST_WRITES, step):
        accepted = AcceptedJobs(processes.receiver.url.replace("127.0.0.1", "localhost"))
        processes.start(number)
        try:
            eventually("the server is up, or dead", lambda: processes.is_up() or not processes.is_alive, SECONDS)
            one_round(processes.client, accepted, number)
        except httpx.TransportError:
            pass
        if (signal_ := processes.end()) == 0:
            break
        assert signal_ == signal.SIGKILL
        processes.start(0)
        eventually("the server is up again", processes.is_up, SECONDS)
        check(processes.client, accepted, processes.receiver, number)
        for job in listed(processes.client):
            processes.client.delete(f"{TRANSCRIPTIONS}/{job['id']}")
        assert list((tmp_path / "jobs" / "files").iterdir()) == [], number
        assert processes.end() == 0
    assert len(processes.ended) > 40 / step  # up to the last write of the round
    assert processes.ended[-1] == 0


def test_a_server_that_is_stopped_hands_its_jobs_back(processes: KilledServers) -> None:
    """Within no time: neither does it wait for them, nor the next one for the end of their leases."""
    processes.start(0)
    eventually("the server is up", processes.is_up, SECONDS)
    job_id = submit(processes.client, AcceptedJobs(""), ENDLESS)
    eventually("the job is begun with", lambda: status(processes.client, job_id) == "in_progress", SECONDS)
    assert processes.end() == 0
    processes.start(0)
    eventually("the server is up again", processes.is_up, SECONDS)
    eventually("the job is begun with again", lambda: status(processes.client, job_id) == "in_progress", SECONDS)
    (job,) = listed(processes.client)
    assert job["attempts"] == 1
    processes.client.delete(f"{TRANSCRIPTIONS}/{job_id}")
    assert processes.end() == 0
