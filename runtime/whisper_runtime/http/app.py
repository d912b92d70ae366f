"""The two ASGI applications: one for clients, one for the cluster's probes and Prometheus."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.version import VERSION
from whisper_runtime.http.dependencies import provide
from whisper_runtime.http.error_handlers import answer_in_openai_shape
from whisper_runtime.http.job_body import answer_for_jobs
from whisper_runtime.http.job_status import JobStatusMiddleware
from whisper_runtime.http.layers import LayerParts, layers
from whisper_runtime.http.middleware.behind_front import BehindFrontMiddleware
from whisper_runtime.http.openai.forms import FORM_LIMITS
from whisper_runtime.http.openapi import document
from whisper_runtime.http.routes import balancer, cache, models, openai, page, plain, probes, store
from whisper_runtime.service.batches.door import BatchDoor
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.parts import RuntimeParts

NO_TELEMETRY: Final = TelemetryConfig(tracing=False, metrics=False, logs=False, auto_configure=False)
"""FastAPI's own spans have the client's path and query in them, its logs what a wrong form holds; TraceMiddleware makes
ours."""


def create_app(parts: RuntimeParts, door: JobDoor | None = None, batches: BatchDoor | None = None) -> FastAPI:
    """The application for clients, behind all of its middleware; `door`, `batches` None: there are no such."""
    config = parts.config
    app = FastAPI(
        title="Whisper",
        summary="Speech to text, by OpenAI's audio API.",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # many a client repeats a redirected POST without its body
        form_limits=FORM_LIMITS,
        middleware=[*middleware(parts, takes_jobs=door is not None), *_job_status(door)],
        telemetry=NO_TELEMETRY,
    )
    provide(app, parts, door, batches)
    answer_in_openai_shape(app)
    if door is not None:
        from whisper_runtime.http.routes import jobs  # its routes take a hundredth of a second to declare

        _serve(app, jobs.router)
        answer_for_jobs(app)
    if batches is not None:
        from whisper_runtime.http.batch_body import answer_for_batches
        from whisper_runtime.http.routes import batches as of_batches
        from whisper_runtime.http.routes import files

        _serve(app, files.router, of_batches.router)
        answer_for_batches(app)
    _serve(app, plain.router, openai.router, models.router, balancer.router)
    if config.probes_on_http:
        _serve(app, probes.router)
    if config.ui:
        app.router.routes.extend(page.routes())
    authenticated = config.api_keys_dir is not None
    document(app, models=parts.model.info.names, authenticated=authenticated, takes_jobs=door is not None)
    return app


def create_probes_app(parts: RuntimeParts, door: JobDoor | None = None, batches: BatchDoor | None = None) -> FastAPI:
    """The application for the kubelet, Prometheus and the operator, on a port that no client reaches."""
    app = FastAPI(title="Whisper probes", openapi_url=None, redirect_slashes=False, telemetry=NO_TELEMETRY)
    provide(app, parts, door, batches)
    answer_in_openai_shape(app)
    _serve(app, probes.router, store.router, cache.router)
    return app


def _serve(app: FastAPI, *routers: APIRouter) -> None:
    """Adds their routes as they are: `include_router` has the first request wait for a second analysis of endpoints."""
    for router in routers:
        app.router.routes.extend(router.routes)


def middleware(parts: RuntimeParts, *, takes_jobs: bool = False) -> list[Middleware]:
    """The layers around the routes, outermost first."""
    config = parts.config
    of_layers = LayerParts(
        parts.lifecycle,
        parts.admission,
        parts.metrics.requests,
        parts.tracing,
        takes_jobs=takes_jobs,
        has_jobs=config.keeps_jobs,
        keeps_results=config.result_cache_max_bytes is not None,
    )
    return [*_behind_front(config), *layers(config, of_layers)]


def _job_status(door: JobDoor | None) -> list[Middleware]:
    return [Middleware(JobStatusMiddleware, door=door)] if door else []


def _behind_front(config: RuntimeConfig) -> list[Middleware]:
    return [Middleware(BehindFrontMiddleware, token=config.front_token)] if config.front_token else []
