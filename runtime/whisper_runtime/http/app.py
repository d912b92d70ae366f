"""The two ASGI applications: one for clients, one for the cluster's probes and Prometheus."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.network import BALANCER_PATH, HEALTH_PATH, READY_PATH, STARTUP_PATH
from whisper_runtime.http.dependencies import provide
from whisper_runtime.http.error_handlers import answer_in_openai_shape
from whisper_runtime.http.job_body import answer_for_jobs
from whisper_runtime.http.middleware.absolute_form import AbsoluteFormMiddleware
from whisper_runtime.http.middleware.access_log import AccessLogMiddleware
from whisper_runtime.http.middleware.admission import AdmissionMiddleware
from whisper_runtime.http.middleware.authentication import AuthenticationMiddleware, KeyRing
from whisper_runtime.http.middleware.base_path import BasePathMiddleware
from whisper_runtime.http.middleware.drain import DrainMiddleware
from whisper_runtime.http.middleware.groq_path import GroqPathMiddleware
from whisper_runtime.http.middleware.trace import TraceMiddleware
from whisper_runtime.http.middleware.upload_limits import UploadLimitsMiddleware
from whisper_runtime.http.openai.extras import HEADER as IGNORED_FIELDS
from whisper_runtime.http.openai.forms import MAX_FIELD_KIB, MAX_FIELDS
from whisper_runtime.http.openapi import document
from whisper_runtime.http.routes import balancer, models, openai, plain, probes, store
from whisper_runtime.media.track_taken import HEADER as TRACK_HEADER
from whisper_runtime.service.batches.door import BatchDoor
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.parts import RuntimeParts
from whisper_runtime.service.rate_limits import RATE_HEADERS
from whisper_runtime.service.result_cache.cached_transcriber import CACHE_HEADERS

log = logging.getLogger(__name__)

JOB_RESPONSE_HEADERS: Final = ("Location", "Content-Location", "Preference-Applied")
NO_TELEMETRY: Final = TelemetryConfig(tracing=False, metrics=False, logs=False, auto_configure=False)
"""FastAPI's own spans have the client's path and query in them, its logs what a wrong form holds; TraceMiddleware makes
ours."""


def create_app(parts: RuntimeParts, door: JobDoor | None = None, batches: BatchDoor | None = None) -> FastAPI:
    """The application for clients, behind all of its middleware; `door`, `batches` None: there are no such."""
    config = parts.config
    app = FastAPI(
        title="Whisper",
        summary="Speech to text, by OpenAI's audio API.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # many a client repeats a redirected POST without its body
        form_limits={"max_files": 1, "max_fields": MAX_FIELDS, "max_part_size": MAX_FIELD_KIB * 1024},
        middleware=middleware(parts, takes_jobs=door is not None),
        telemetry=NO_TELEMETRY,
    )
    provide(app, parts, door, batches)
    answer_in_openai_shape(app)
    if door is not None:
        from whisper_runtime.http.routes import jobs  # its routes take a hundredth of a second to declare

        app.include_router(jobs.router)
        answer_for_jobs(app)
    if batches is not None:
        from whisper_runtime.http.batch_body import answer_for_batches
        from whisper_runtime.http.routes import batches as of_batches
        from whisper_runtime.http.routes import files

        for routes in (files, of_batches):
            app.include_router(routes.router)
        answer_for_batches(app)
    for routes in (plain, openai, models, balancer, *((probes,) if config.probes_on_http else ())):
        app.include_router(routes.router)
    authenticated = config.api_keys_dir is not None
    document(app, models=parts.model.info.names, authenticated=authenticated, takes_jobs=door is not None)
    return app


def create_probes_app(parts: RuntimeParts, door: JobDoor | None = None) -> FastAPI:
    """The application for the kubelet, Prometheus and the operator, on a port that no client reaches."""
    app = FastAPI(title="Whisper probes", openapi_url=None, redirect_slashes=False, telemetry=NO_TELEMETRY)
    provide(app, parts, door)
    answer_in_openai_shape(app)
    app.include_router(probes.router)
    app.include_router(store.router)
    return app


def middleware(parts: RuntimeParts, *, takes_jobs: bool = False) -> list[Middleware]:
    """The layers around the routes, outermost first; all of them decide before the body is read."""
    config, admission = parts.config, parts.admission
    layers = (
        Middleware(AbsoluteFormMiddleware),  # outermost: every other layer sees a path …
        _base_path(config),  # … without what a proxy puts before it …
        Middleware(GroqPathMiddleware),  # … and the one that the routes have
        Middleware(DrainMiddleware, lifecycle=parts.lifecycle),  # outside of every layer that responds
        _cors(config),  # outside of all that refuses: a preflight has no key, and a page may read a 500
        Middleware(TraceMiddleware, tracing=parts.tracing),  # outside of the log, whose lines have the trace's id
        Middleware(AccessLogMiddleware, metrics=parts.metrics),  # logs and counts what any layer below responds
        _authentication(config),  # before admission, whose limits tell clients apart by their keys
        # before a byte of the body is read
        Middleware(AdmissionMiddleware, admission=admission, takes_jobs=takes_jobs),
        Middleware(
            UploadLimitsMiddleware,  # innermost: bounds what FastAPI reads of an admitted body
            max_bytes=admission.max_upload_bytes,
            max_seconds=config.request_timeout_seconds,
        ),
    )
    return [layer for layer in layers if layer is not None]


def _base_path(config: RuntimeConfig) -> Middleware | None:
    return Middleware(BasePathMiddleware, base_path=config.base_path) if config.base_path else None


def _cors(config: RuntimeConfig) -> Middleware | None:
    if not config.cors_allow_origins:
        return None
    return Middleware(
        CORSMiddleware,
        allow_origins=config.cors_allow_origins,
        allow_methods=["GET", "POST", "DELETE"] if config.jobs_dir else ["GET", "POST"],
        allow_headers=["*"],  # OpenAI's client in a browser sends a dozen of its own, X-Stainless-*
        expose_headers=[
            *("X-Request-ID", "Retry-After", "X-Should-Retry", IGNORED_FIELDS, TRACK_HEADER, *RATE_HEADERS),
            *(CACHE_HEADERS if config.result_cache_max_bytes else ()),
            *(JOB_RESPONSE_HEADERS if config.jobs_dir else ()),
        ],
    )


def _authentication(config: RuntimeConfig) -> Middleware | None:
    if config.api_keys_dir is None:
        log.warning("NO AUTHENTICATION: every client of port %d is served; set WHISPER_API_KEYS_DIR", config.port)
        return None
    keys = KeyRing(Path(config.api_keys_dir))
    if not len(keys):
        log.warning("NO API KEY in %s: every request gets 401; mount one file for each client", config.api_keys_dir)
    # Load balancers have no key, nor has a lone container's orchestrator, which asks for health on this port.
    probed = {HEALTH_PATH, STARTUP_PATH, READY_PATH} if config.probes_on_http else set[str]()
    open_paths = frozenset({BALANCER_PATH, *probed})
    return Middleware(AuthenticationMiddleware, keys=keys, open_paths=open_paths)
