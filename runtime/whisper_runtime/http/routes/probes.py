"""Health and metrics: what the kubelet and Prometheus ask, answered without the main event loop's help."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from prometheus_client.exposition import choose_encoder

from whisper_runtime.contract.network import HEALTH_PATH, METRICS_PATH, READY_PATH, STARTUP_PATH
from whisper_runtime.engine.interface import State
from whisper_runtime.service.state import ServingOf

router = APIRouter(include_in_schema=False)

ASKED: Final = ["GET", "HEAD"]
"""Many load balancers ask for the status alone."""


@router.api_route(HEALTH_PATH, methods=ASKED)
async def health(serving: ServingOf) -> Response:
    """Whether a restart would help: the main loop is stuck, or the model could not be loaded."""
    if serving.lifecycle.stale:
        return _status(503, "unhealthy", reason="the server's event loop does not run")
    if serving.engine.state is State.FAILED:
        return _status(503, "unhealthy", reason=serving.engine.error or "the model failed")
    return _status(200, "healthy", model=serving.model.name)


@router.api_route(STARTUP_PATH, methods=ASKED)
async def startup(serving: ServingOf) -> Response:
    """Whether the start is over: the model is loaded, warmed up and proven."""
    started = serving.engine.state is not State.LOADING
    return _status(200, "started") if started else _status(503, "starting")


@router.api_route(READY_PATH, methods=ASKED)
async def ready(serving: ServingOf) -> Response:
    """Whether to send clients here."""
    return _status(503, serving.unready) if serving.unready else _status(200, "ready")


@router.api_route(METRICS_PATH, methods=ASKED)
async def metrics(serving: ServingOf, accept: Annotated[str, Header()] = "") -> Response:
    encode, content_type = choose_encoder(accept)
    return Response(encode(serving.metrics.registry), headers={"content-type": content_type})


def _status(code: int, status: str, **details: str) -> Response:
    return JSONResponse({"status": status, **details}, status_code=code)
