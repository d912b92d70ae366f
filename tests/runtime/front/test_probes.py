"""The front is well and ready by itself, without any server."""

from __future__ import annotations

import httpx
import pytest

from tests.fakes.front_servers import TriedFront
from whisper_runtime.front.app import cluster_app
from whisper_runtime.service import lifecycle
from whisper_runtime.service.lifecycle import Phase


async def get(front: TriedFront, path: str) -> httpx.Response:
    async with probing(front) as client:
        return await client.get(path)


async def post(front: TriedFront, forecast: bytes) -> httpx.Response:
    async with probing(front) as client:
        return await client.post("/demand", content=forecast)


def probing(front: TriedFront) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=cluster_app(front.parts))
    return httpx.AsyncClient(transport=transport, base_url="http://front")


@pytest.mark.parametrize("path", ["/health", "/startup", "/ready", "/metrics", "/demand"])
async def test_it_needs_no_server(path: str) -> None:
    assert (await get(TriedFront(), path)).status_code == 200


async def test_while_it_leaves_it_is_well_and_not_ready() -> None:
    front = TriedFront()
    front.parts.lifecycle.phase = Phase.LEAVING
    assert (await get(front, "/ready")).status_code == 503
    assert (await get(front, "/health")).status_code == 200
    assert (await front.send("GET", "/healthz").answered()).status == 503


async def test_an_event_loop_that_does_not_run_is_a_reason_for_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "STALE_SECONDS", -1.0)
    answer = await get(TriedFront(), "/health")
    assert (answer.status_code, answer.json()["reason"]) == (503, "the front's event loop does not run")


async def test_the_operator_reads_what_waits() -> None:
    front = TriedFront()
    held = front.upload(b"x" * 1000)
    await front.until(lambda: front.parts.demand.held_bytes)
    demand = (await get(front, "/demand")).json()
    assert (demand["heldRequests"], demand["activeRequests"], demand["idleSeconds"]) == (1, 0, 0)
    assert demand["heldBytes"] > 1000
    held.hang_up()
    await held.answered()


async def test_no_client_can_say_what_the_operator_knows() -> None:
    front = TriedFront(probes_on_http=True)
    before = front.parts.outlook.forecast
    said = front.send("POST", "/demand", content=b'{"cannotCome": "Nobody comes."}')
    assert (await said.answered()).status == 404
    assert front.parts.outlook.forecast == before


async def test_the_operator_says_what_it_knows_with_its_question() -> None:
    front = TriedFront()
    answer = await post(front, b'{"expectedSeconds": 400}')
    assert (answer.status_code, answer.json()["heldRequests"]) == (200, 0)
    refused = await front.upload().answered()
    assert (refused.status, refused.headers["retry-after"]) == (503, "120")
    assert (await post(front, b"{}")).json()["refusedRequests"] == 1


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 422), (b"[]", 422), (b'{"expectedSeconds": "soon"}', 422), (bytes(4097), 413)]
)
async def test_what_is_no_forecast_changes_nothing(body: bytes, status: int) -> None:
    front = TriedFront()
    before = front.parts.outlook.forecast
    assert (await post(front, body)).status_code == status
    assert front.parts.outlook.forecast == before


async def test_prometheus_reads_the_metrics() -> None:
    assert "whisper_front_held_requests 0.0" in (await get(TriedFront(), "/metrics")).text
