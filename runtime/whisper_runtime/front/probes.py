"""The front's answers to the cluster: it is ready without any server, for it is there to wait for one."""

from __future__ import annotations

from typing import Final

from prometheus_client.exposition import choose_encoder
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from whisper_runtime.contract.front import WakeForecast
from whisper_runtime.contract.network import (
    BALANCER_PATH,
    DEMAND_PATH,
    HEALTH_PATH,
    METRICS_PATH,
    READY_PATH,
    STARTUP_PATH,
)
from whisper_runtime.front.demand import DemandCounter
from whisper_runtime.front.metrics import FrontMetrics
from whisper_runtime.front.outlook import Outlook
from whisper_runtime.service.lifecycle import Lifecycle, Phase

LONGEST_FORECAST: Final = 4096
"""Bytes of what the operator says."""


class FrontProbes:
    """Reads single references only, so that the probes' own thread may ask."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        demand: DemandCounter,
        metrics: FrontMetrics,
        outlook: Outlook,
    ) -> None:
        """`outlook` is handed, from the probes' thread, what the operator says while no server is ready."""
        self._outlook = outlook
        self._lifecycle = lifecycle
        self._demand = demand
        self._metrics = metrics

    def for_clients(self) -> list[Route]:
        """The path for load balancers, which need no key."""
        return [Route(BALANCER_PATH, self._balancer)]

    def for_the_cluster(self) -> list[Route]:
        """What is asked on the port that no client reaches, or by a lone container's orchestrator on theirs."""
        return [
            Route(HEALTH_PATH, self._health),
            Route(STARTUP_PATH, self._startup),
            Route(READY_PATH, self._ready),
            Route(METRICS_PATH, self._exposition),
            Route(DEMAND_PATH, self._demanded),
        ]

    def for_the_operator(self) -> list[Route]:
        """What is believed, so that no client may say it: a forecast refuses the requests of others."""
        return [Route(DEMAND_PATH, self._foretold, methods=["POST"])]

    async def _balancer(self, _: Request) -> Response:
        return Response(status_code=200 if self._is_ready else 503, headers={"cache-control": "no-store"})

    async def _health(self, _: Request) -> Response:
        if self._lifecycle.stale:
            return JSONResponse({"status": "unhealthy", "reason": "the front's event loop does not run"}, 503)
        return JSONResponse({"status": "healthy"})

    async def _startup(self, _: Request) -> Response:
        return JSONResponse({"status": "started"})

    async def _ready(self, _: Request) -> Response:
        return JSONResponse({"status": "ready"}) if self._is_ready else JSONResponse({"status": "draining"}, 503)

    async def _exposition(self, request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._metrics.registry), headers={"content-type": content_type})

    async def _demanded(self, _: Request) -> Response:
        report = self._demand.report(self._outlook.held_audio, self._outlook.held_wait)
        return Response(report.model_dump_json(by_alias=True), media_type="application/json")

    async def _foretold(self, request: Request) -> Response:
        """The same answer to an operator that says what it knows."""
        body = b""
        async for part in request.stream():
            if len(body := body + part) > LONGEST_FORECAST:
                return JSONResponse({"error": f"a forecast has {LONGEST_FORECAST} bytes at most"}, 413)
        try:
            forecast = WakeForecast.model_validate_json(body)
        except ValidationError as error:
            return JSONResponse({"error": error.errors(include_url=False, include_input=False)}, 422)
        self._outlook.note(forecast)
        return await self._demanded(request)

    @property
    def _is_ready(self) -> bool:
        return self._lifecycle.phase is Phase.SERVING
