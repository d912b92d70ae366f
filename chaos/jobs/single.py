"""One round's jobs, one of each kind: what their client does with them, and what it must find when all is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import httpx

from tests.fakes.webhook_receiver import WebhookReceiver
from tests.support.waiting import eventually

TRANSCRIPTIONS: Final = "/v1/audio/transcriptions"
TRANSLATIONS: Final = "/v1/audio/translations"
SECONDS: Final = 180
"""The longest that a client waits."""

JobKind = Literal["read", "cancelled", "deleted when done", "deleted at once", "translated", "by url"]
KINDS: Final[tuple[JobKind, ...]] = get_args(JobKind)
WITHOUT_URLS: Final = KINDS[:-1]
DELETED: Final = "410"


@dataclass
class AcceptedJobs:
    """The jobs of one round that the client has an answer for, by their ids; each recording has a length of its own."""

    receiver: str
    """The URL of what is told of their ends, and has recordings."""
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    kinds: dict[str, JobKind] = field(default_factory=dict[str, JobKind])
    given_up: set[str] = field(default_factory=set[str])
    """Ids whose cancellation or deletion was sent, whether it was answered or not."""
    unanswered: Callable[[httpx.Client], str] | None = None
    """Submits the job again whose submission was not answered; None: none is."""


def submit(client: httpx.Client, accepted: AcceptedJobs, kind: JobKind, seconds: float) -> str:
    """Submits a recording, or the same one again; returns the id of its job."""
    accepted.unanswered = lambda again: submit(again, accepted, kind, seconds)
    headers = {"Prefer": "respond-async", "Idempotency-Key": f"{seconds}"}
    data = {"model": "base", "webhook_url": accepted.receiver, "metadata[key]": f"{seconds}"}
    path = TRANSLATIONS if kind == "translated" else TRANSCRIPTIONS
    if kind == "by url":
        answer = client.post(path, data=data | {"url": f"{accepted.receiver}/{seconds}"}, headers=headers)
    else:
        answer = client.post(path, files={"file": ("a.wav", f"speech {seconds}".encode())}, data=data, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    location = answer.headers.get("location") or answer.headers["content-location"].removesuffix("/content")
    job_id = location.rpartition("/")[2]
    assert accepted.seconds.setdefault(job_id, seconds) == seconds
    accepted.kinds[job_id], accepted.unanswered = kind, None
    return job_id


def one_round(
    client: httpx.Client, accepted: AcceptedJobs, number: int, kinds: Collection[JobKind] = WITHOUT_URLS
) -> None:
    """Takes a job of each kind to its end, the webhooks included. Raises TransportError: the server died."""
    jobs = {kind: submit(client, accepted, kind, number + (place + 1) / 8) for place, kind in enumerate(kinds)}
    give_up(client, accepted, jobs["cancelled"], httpx.Client.post, "/cancel")
    give_up(client, accepted, jobs["deleted at once"], httpx.Client.delete)
    for kind in jobs.keys() - {"cancelled", "deleted at once"}:
        status(client, jobs[kind], wait=30)
    give_up(client, accepted, jobs["deleted when done"], httpx.Client.delete)
    for kind in jobs.keys() - {"deleted when done", "deleted at once"}:
        until_told(client, jobs[kind])


def give_up(
    client: httpx.Client, accepted: AcceptedJobs, job_id: str, verb: Callable[[httpx.Client, str], Any], path: str = ""
) -> None:
    accepted.given_up.add(job_id)
    verb(client, f"{TRANSCRIPTIONS}/{job_id}{path}")


def status(client: httpx.Client, job_id: str, wait: int = 0) -> str:
    answer = client.get(f"{TRANSCRIPTIONS}/{job_id}", params={"wait": wait})
    return DELETED if answer.status_code == 410 else answer.json()["status"]


def until_told(client: httpx.Client, job_id: str) -> None:
    """Waits until the receiver is told of the job's end."""

    def is_told() -> bool:
        return client.get(f"{TRANSCRIPTIONS}/{job_id}").json()["webhook"]["status"] == "delivered"

    eventually(f"the end of {job_id} is told", is_told, SECONDS)


def listed(client: httpx.Client) -> list[dict[str, Any]]:
    return client.get(TRANSCRIPTIONS, params={"limit": 100}).json()["data"]


def check(
    client: httpx.Client, accepted: AcceptedJobs, receiver: WebhookReceiver, number: int
) -> Counter[tuple[str, str]]:
    """Each accepted job ends once, and right, and tells it as one event; the same upload is never two jobs.

    Returns how many jobs ended in which way, by kind. Raises AssertionError.
    """
    if accepted.unanswered:
        accepted.unanswered(client)
    outcomes = Counter[tuple[str, str]]()
    for job_id in accepted.seconds:
        found = ended(client, job_id)
        outcomes[accepted.kinds[job_id], "deleted" if found == DELETED else found] += 1
        allowed = {"completed"}
        if job_id in accepted.given_up:
            allowed.add("cancelled" if accepted.kinds[job_id] == "cancelled" else DELETED)
        assert found in allowed, (number, job_id, found)
        if found == "completed":
            for _ in range(2):
                content = client.get(f"{TRANSCRIPTIONS}/{job_id}/content")
                assert content.json()["text"] == f"{accepted.seconds[job_id]} s", (number, content.text)
        if found != DELETED:
            until_told(client, job_id)
            told = [one for one in receiver.received if one.event["data"]["id"] == job_id]
            assert {one.event["type"] for one in told} == {f"transcription.{found}"}, (number, job_id)
            assert len({one.headers["webhook-id"] for one in told}) == len({one.body for one in told}) == 1
    keys = [key for job in listed(client) if (key := job["metadata"].get("key"))]  # a line's job has none
    assert sorted(keys) == sorted(set(keys)), (number, keys)
    return outcomes


def ended(client: httpx.Client, job_id: str) -> str:
    """The state in which the job has ended."""
    found: list[str] = []

    def is_so() -> bool:
        found[:] = [status(client, job_id, wait=60)]
        return found[0] not in ("queued", "in_progress")

    eventually(f"{job_id} has ended", is_so, SECONDS)
    return found[0]


def clear(client: httpx.Client) -> None:
    """Deletes all jobs."""
    while jobs := listed(client):
        for job in jobs:
            client.delete(f"{TRANSCRIPTIONS}/{job['id']}")
