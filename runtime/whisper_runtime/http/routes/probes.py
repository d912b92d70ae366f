"""Health, metrics, and what waits as jobs, for the cluster; answered without the help of the main event loop."""

from __future__ import annotations

import time
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client.exposition import choose_encoder

from whisper_runtime.contract.front import LoadReport
from whisper_runtime.contract.network import (
    HEALTH_PATH,
    JOBS_REPORT_PATH,
    LOAD_PATH,
    METRICS_PATH,
    READY_PATH,
    STARTUP_PATH,
)
from whisper_runtime.contract.reports import JobsReport
from whisper_runtime.errors import HttpError
from whisper_runtime.http.dependencies import JobsDep, LoadDep, ModelDep, ProbesDep, RegistryDep
from whisper_runtime.service.jobs.job import LIVE

router = APIRouter(include_in_schema=False)

METHODS: Final = ["GET", "HEAD"]
"""Many load balancers ask for the status alone."""


@router.api_route(HEALTH_PATH, methods=METHODS)
async def health(probes: ProbesDep, model: ModelDep) -> Response:
    """503 where a restart would help: the main loop is stuck, or the model could not be loaded."""
    if reason := probes.unhealthy:
        return _status(503, "unhealthy", reason=reason)
    return _status(200, "healthy", model=model.name)


@router.api_route(STARTUP_PATH, methods=METHODS)
async def startup(probes: ProbesDep) -> Response:
    """200 once the start is over: the model is loaded, warmed up and proven, or it failed."""
    return _status(200, "started") if probes.started else _status(503, "starting")


@router.api_route(READY_PATH, methods=METHODS)
async def ready(probes: ProbesDep) -> Response:
    """200 while clients should be sent here."""
    return _status(503, reason) if (reason := probes.unready) else _status(200, "ready")


@router.api_route(METRICS_PATH, methods=METHODS)
async def metrics(registry: RegistryDep, accept: Annotated[str, Header()] = "") -> Response:
    encode, content_type = choose_encoder(accept)
    return Response(encode(registry), headers={"content-type": content_type})


@router.get(LOAD_PATH)
async def load(found: LoadDep) -> LoadReport:
    """What is left here, for the front to judge by, ready or not."""
    return found


@router.get(JOBS_REPORT_PATH)
async def jobs(door: JobsDep, request: Request) -> JobsReport:
    """What waits as jobs, as it was some seconds ago. Raises HttpError (404) where none are kept."""
    if door is None:
        raise HttpError(404, "This server keeps no jobs: set WHISPER_JOBS_DIR.", code="no_jobs")
    found, batches = door.worker.statistics, request.app.state.batches
    looked = (door.worker.looked, *((batches.runner.looked,) if batches else ()))
    unended = sum(found.jobs.get(state, 0) for state in LIVE) + (sum(batches.runner.live.values()) if batches else 0)
    times = [one for one in looked if one is not None]
    return JobsReport(
        queued_audio_seconds=found.queued_audio_seconds,
        oldest_queued=found.oldest_created,
        unended=unended if len(times) == len(looked) else None,
        age_seconds=time.monotonic() - min(times, default=0.0),
    )


def _status(code: int, status: str, **details: str) -> Response:
    return JSONResponse({"status": status, **details}, status_code=code)
