"""The clients' application: the order of its layers, and browsers of the configured origins."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.engine import FakeEngine
from tests.runtime.conftest import PartsOf, Start, speech
from whisper_runtime.http.app import create_app, middleware
from whisper_runtime.http.routes import models, openai, plain
from whisper_runtime.service.parts import RuntimeParts

ORIGIN = "https://app.example.com"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization",
}


def test_an_endpoint_is_analysed_once_for_all_applications(parts_of: PartsOf) -> None:
    """And not by the first request to each of them."""
    served = [create_app(parts_of()).routes for _ in range(2)]
    for router in (plain.router, openai.router, models.router):
        for route in router.routes:
            assert [sum(one is route for one in routes) for routes in served] == [1, 1]


def test_each_layer_has_its_place_and_those_that_are_off_are_not_there(parts_of: PartsOf, tmp_path: Path) -> None:
    off = [
        "AbsoluteFormMiddleware",
        "GroqPathMiddleware",
        "DrainMiddleware",
        "TraceMiddleware",
        "AccessLogMiddleware",
        "AdmissionMiddleware",
        "UploadLimitsMiddleware",
    ]
    assert layers(parts_of()) == off
    assert layers(parts_of(base_path="/a", cors_allow_origins=("*",), api_keys_dir=str(tmp_path))) == [
        "AbsoluteFormMiddleware",
        "BasePathMiddleware",
        "GroqPathMiddleware",
        "DrainMiddleware",
        "CORSMiddleware",
        "TraceMiddleware",
        "AccessLogMiddleware",
        "AuthenticationMiddleware",
        "AdmissionMiddleware",
        "UploadLimitsMiddleware",
    ]


def layers(parts: RuntimeParts) -> list[str]:
    return [str(getattr(layer.cls, "__name__", "")) for layer in middleware(parts)]


async def test_a_preflight_needs_no_key(start: Start, tmp_path: Path) -> None:
    client = start(cors_allow_origins=(ORIGIN,), api_keys_dir=str(tmp_path))
    answer = await client.options("/transcribe", headers=PREFLIGHT)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert "authorization" in answer.headers["access-control-allow-headers"]


async def test_the_headers_of_openais_client_are_allowed(start: Start) -> None:
    asked = "authorization,content-type,x-stainless-lang,x-stainless-retry-count,x-stainless-timeout"
    preflight = PREFLIGHT | {"Access-Control-Request-Headers": asked}
    answer = await start(cors_allow_origins=(ORIGIN,)).options("/v1/audio/transcriptions", headers=preflight)
    assert answer.status_code == 200
    assert set(asked.split(",")) <= set(answer.headers["access-control-allow-headers"].split(","))
    assert "access-control-allow-credentials" not in answer.headers


async def test_errors_are_readable_for_the_page_too(start: Start, tmp_path: Path) -> None:
    client = start(cors_allow_origins=(ORIGIN,), api_keys_dir=str(tmp_path))
    answer = await client.post("/transcribe", files=speech(), headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, ORIGIN)


async def test_a_bug_is_readable_for_the_page_too(start: Start, engine: FakeEngine) -> None:
    engine.answer = RuntimeError("a bug")
    answer = await start(cors_allow_origins=(ORIGIN,)).post("/transcribe", files=speech(), headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (500, ORIGIN)
    assert answer.headers["x-request-id"]


async def test_another_origin_is_not_allowed(start: Start) -> None:
    client = start(cors_allow_origins=(ORIGIN,))
    answer = await client.post("/transcribe", files=speech(), headers={"Origin": "https://evil.example.com"})
    assert "access-control-allow-origin" not in answer.headers


async def test_without_origins_there_is_no_cors(start: Start) -> None:
    answer = await start().post("/transcribe", files=speech(), headers={"Origin": ORIGIN})
    assert "access-control-allow-origin" not in answer.headers
