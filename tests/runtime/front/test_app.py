"""Clients meet the servers' own layers at the front; what those refuse reaches no server, and wakes none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.front_servers import A, PlannedAnswer, TriedFront
from tests.support.otlp_receiver import receiving
from whisper_runtime.service import tracing

ORIGIN = {"Origin": "https://app.example.com"}


@pytest.fixture
def keys(tmp_path: Path) -> str:
    (tmp_path / "alice").write_text("key-of-alice")
    return str(tmp_path)


async def test_a_key_is_asked_for_here_and_passed_on(keys: str) -> None:
    front = TriedFront(A, api_keys_dir=keys)
    assert (await front.send(content=b"x").answered()).status == 401
    assert front.servers.asked == []
    assert (await front.send(content=b"x", headers={"X-API-Key": "key-of-alice"}).answered()).status == 200
    assert front.servers.asked[0].headers["x-api-key"] == "key-of-alice"


async def test_a_body_that_is_too_large_is_refused_here() -> None:
    front = TriedFront(A, max_upload_bytes=10)
    assert (await front.send(content=b"x" * 11).answered()).status == 413
    assert front.servers.asked == []


async def test_a_page_gets_its_leave_once() -> None:
    front = TriedFront(A, cors_allow_origins=("https://app.example.com",))
    asks = ORIGIN | {"Access-Control-Request-Method": "DELETE"}
    assert (await front.send("OPTIONS", headers=asks).answered()).status == 200
    assert front.servers.asked == []
    got = await front.send(content=b"x", headers=ORIGIN).answered()
    assert got.headers["access-control-allow-origin"] == "https://app.example.com"
    assert "origin" not in front.servers.asked[0].headers


@pytest.mark.parametrize("path", ["/speech/v1/models", "/openai/v1/models"])
async def test_a_prefix_is_known_here_and_to_the_servers(path: str) -> None:
    front = TriedFront(A, base_path="/speech")
    assert (await front.send("GET", path).answered()).status == 200
    assert front.servers.asked[0].target == path.encode()


async def test_the_page_opens_without_a_key_and_wakes_no_server(keys: str) -> None:
    front = TriedFront(A, api_keys_dir=keys)
    assert "<title>" in (await front.send("GET", "/").answered()).body.decode()
    assert (await front.send("GET", "/ui/main.js").answered()).status == 200
    assert front.servers.asked == []
    assert front.parts.demand.report().held_requests == 0
    assert (await TriedFront(ui=False, api_keys_dir=keys).send("GET", "/").answered()).status == 401


async def test_load_balancers_find_it_ready_without_a_key_and_without_a_server(keys: str) -> None:
    assert (await TriedFront(api_keys_dir=keys).send("GET", "/healthz").answered()).status == 200


@pytest.mark.parametrize(("here", "status"), [(True, 200), (False, 404)])
async def test_probes_are_on_the_clients_port_where_that_is_configured(here: bool, status: int) -> None:
    assert (await TriedFront(probes_on_http=here).send("GET", "/health").answered()).status == status


async def test_what_a_server_says_of_rates_and_of_its_cache_reaches_the_client() -> None:
    front = TriedFront(A)
    said = (("x-ratelimit-remaining-requests", "4"), ("cache-status", "whisper; hit"))
    front.servers.plans[A] = [PlannedAnswer(headers=said)]
    got = await front.send(content=b"x").answered()
    assert dict(said).items() <= got.headers.items()


async def test_a_trace_goes_from_the_client_through_the_front_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    with receiving() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        spans = tracing.start(os.environ)
        assert spans is not None
        front = TriedFront(tracing=spans)
        held = front.send(content=b"x", headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"})
        await front.until(lambda: front.parts.turnstile.waiting_requests)
        front.ready(A)
        await held.answered()
        spans.stop()
        (span,) = collector.named("POST /v1/audio/transcriptions")
        (hold,) = collector.named("hold")
    assert span.trace_id == trace_id
    assert hold.is_within(span)
    version, seen, parent, flags = front.servers.asked[0].headers["traceparent"].split("-")
    assert (version, seen, flags) == ("00", trace_id, "01")
    assert parent not in {"b7ad6b7169203331", "0" * 16}, "it is the front's own span"


async def test_without_spans_of_its_own_the_clients_is_passed_on() -> None:
    front = TriedFront(A)
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await front.send(content=b"x", headers={"traceparent": traceparent}).answered()
    assert front.servers.asked[0].headers["traceparent"] == traceparent
