"""Who asks for a job without a parameter gets what the route answers, and is counted and let in as there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from starlette.types import Message, Scope

from tests.fakes.engine import FakeEngine
from tests.runtime.conftest import speech
from tests.runtime.http.conftest import Serve
from whisper_runtime.http.job_status import LONGEST_ID, JobStatusMiddleware, polled_job
from whisper_runtime.http.middleware.access_log import route_of
from whisper_runtime.http.routes.jobs import router
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.job import JobStoreAway, NoSuchJob, PlacedJob
from whisper_runtime.service.jobs.sqlite_store import SqliteJobStore

JOBS = "/v1/audio/transcriptions"


async def submitted(client: httpx.AsyncClient) -> str:
    """The path of a new job."""
    headers = {"Prefer": "respond-async"}
    answer = await client.post(JOBS, files=speech(2.5), data={"model": "base"}, headers=headers)
    assert answer.status_code == 202
    return answer.headers["location"]


async def both(client: httpx.AsyncClient, path: str) -> tuple[httpx.Response, httpx.Response]:
    """The answer to who asks for the job alone, and the route's."""
    return await client.get(path), await client.get(path, params={"wait": 0})


def assert_same(polled: httpx.Response, routed: httpx.Response, status: int) -> None:
    assert polled.status_code == routed.status_code == status
    assert polled.json() == routed.json()
    names = [sorted(name for name in one.headers if name != "date") for one in (polled, routed)]
    assert names[0] == names[1]
    assert polled.headers["content-type"] == routed.headers["content-type"]


async def test_each_state_is_what_the_route_says(serve: Serve, engine: FakeEngine) -> None:
    engine.answer = None
    client = serve()
    path, behind = await submitted(client), await submitted(client)
    await engine.until_submitted()
    for job in (path, behind):
        assert_same(*await both(client, job), 200)
    await client.post(f"{path}/cancel")
    polled, routed = await both(client, path)
    assert_same(polled, routed, 200)
    assert polled.json()["status"] == "cancelled"
    await client.delete(path)
    assert_same(*await both(client, path), 410)


@pytest.mark.parametrize("unknown", ["tr_unknown", "x" * 500, "%2e", "ü"])
async def test_what_is_not_the_clients_is_not_found(serve: Serve, unknown: str) -> None:
    assert_same(*await both(serve(), f"{JOBS}/{unknown}"), 404)


async def test_a_store_that_is_away_is_503(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise JobStoreAway("gone")

    monkeypatch.setattr(SqliteJobStore, "placed", away)
    assert_same(*await both(serve(), f"{JOBS}/tr_1"), 503)


async def test_it_is_counted_as_the_route() -> None:
    class NoJobs:
        async def placed(self, *_: object) -> PlacedJob:
            raise NoSuchJob

    async def silent(*_: object) -> Message:
        return {}

    asked = scope()
    layer = JobStatusMiddleware(silent, cast(JobDoor, SimpleNamespace(store=NoJobs())))
    await layer(asked, silent, silent)
    assert route_of(asked) in {getattr(route, "path_format", "") for route in router.routes}


def scope(method: str = "GET", path: str = f"{JOBS}/tr_1", query: bytes = b"") -> Scope:
    return {"type": "http", "method": method, "path": path, "query_string": query}


def test_nothing_else_is_taken_for_it() -> None:
    assert polled_job(scope()) == "tr_1"
    assert polled_job(scope(path=f"{JOBS}/{'x' * 100}")) == "x" * LONGEST_ID
    others = (
        *(scope(method) for method in ("HEAD", "POST", "DELETE", "OPTIONS")),
        scope(query=b"wait=5"),
        *(scope(path=path) for path in (JOBS, f"{JOBS}/", f"{JOBS}/tr_1/content", f"{JOBS}/tr_1/", "/v1/models/tr_1")),
    )
    assert [polled_job(one) for one in others] == [None] * len(others)
