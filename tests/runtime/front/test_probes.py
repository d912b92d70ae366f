"""The front is well and ready by itself, without any server."""

from __future__ import annotations

import httpx
import pytest

from tests.fakes.front_servers import TriedFront
from whisper_runtime.front.app import cluster_app
from whisper_runtime.service import lifecycle
from whisper_runtime.service.lifecycle import Phase


async def get(front: TriedFront, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=cluster_app(front.parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://front") as client:
        return await client.get(path)


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


async def test_prometheus_reads_the_metrics() -> None:
    assert "whisper_front_held_requests 0.0" in (await get(TriedFront(), "/metrics")).text
