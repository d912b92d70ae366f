"""The two ASGI applications: one for clients, one for the cluster's probes and Prometheus."""

from __future__ import annotations

import logging
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from whisper_runtime.contract.network import HEALTH_PATH, READY_PATH, STARTUP_PATH
from whisper_runtime.http.error_handlers import answer_in_openai_shape
from whisper_runtime.http.middleware.access_log import Access
from whisper_runtime.http.middleware.authentication import Authenticate, KeyRing
from whisper_runtime.http.middleware.base_path import BelowBasePath
from whisper_runtime.http.middleware.rate_limit import RATE_HEADERS, RateLimit
from whisper_runtime.http.middleware.upload_limits import LimitUploads
from whisper_runtime.http.openai.forms import MAX_FIELD_KIB, MAX_FIELDS
from whisper_runtime.http.openapi import document
from whisper_runtime.http.routes import models, openai, plain, probes
from whisper_runtime.service.admission import Door
from whisper_runtime.service.lifecycle import CloseWhileLeaving
from whisper_runtime.service.model_info import ALIAS
from whisper_runtime.service.state import Serving

log = logging.getLogger(__name__)


def create_app(serving: Serving) -> FastAPI:
    """What clients see. A request passes the layers in the order in which they stand in `_protect`, outermost last."""
    app = FastAPI(
        title="Whisper",
        summary="Speech to text, by OpenAI's audio API.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # many a client repeats a redirected POST without its body
        form_limits={"max_files": 1, "max_fields": MAX_FIELDS, "max_part_size": MAX_FIELD_KIB * 1024},
    )
    app.state.serving = serving
    answer_in_openai_shape(app)
    for routes in (plain, openai, models, *((probes,) if serving.config.probes_on_http else ())):
        app.include_router(routes.router)
    document(app, models=(serving.model.name, ALIAS), authenticated=serving.config.api_keys_dir is not None)
    _protect(app, serving)
    return app


def create_probes_app(serving: Serving) -> FastAPI:
    """What the kubelet and Prometheus see, on a port that no client reaches."""
    app = FastAPI(title="Whisper probes", openapi_url=None, redirect_slashes=False)
    app.state.serving = serving
    answer_in_openai_shape(app)
    app.include_router(probes.router)
    return app


def _protect(app: FastAPI, serving: Serving) -> None:
    """Puts the layers around the routes, innermost first: all of them decide before the body is read."""
    config = serving.config
    app.add_middleware(
        LimitUploads,
        scratch=serving.scratch,
        max_bytes=config.max_upload_bytes,
        max_seconds=config.request_timeout_seconds,
    )
    app.add_middleware(RateLimit, rates=serving.rates)
    app.add_middleware(
        Door,
        engine=serving.engine,
        lifecycle=serving.lifecycle,
        places=serving.places,
        max_queued_seconds=config.max_queued_audio_seconds,
        request_timeout=config.request_timeout_seconds,
    )
    if config.api_keys_dir is None:
        log.warning("NO AUTHENTICATION: whoever reaches port %d may use it; set WHISPER_API_KEYS_DIR", config.port)
    else:
        keys = KeyRing(Path(config.api_keys_dir))
        if not len(keys):
            log.warning("NO API KEY in %s: every request gets 401; mount one file for each client", config.api_keys_dir)
        app.add_middleware(Authenticate, keys=keys, open_paths=_open_paths(serving))
    app.add_middleware(Access, metrics=serving.metrics)
    if config.cors_allow_origins:  # outside of all that answers: a preflight has no key, and a page may read a 500
        app.add_middleware(
            CORSMiddleware,
            allow_origins=config.cors_allow_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],  # OpenAI's client in a browser sends a dozen of its own, X-Stainless-*
            expose_headers=["X-Request-ID", "Retry-After", "X-Should-Retry", *RATE_HEADERS],
        )
    app.add_middleware(CloseWhileLeaving, lifecycle=serving.lifecycle)
    if config.base_path:
        app.add_middleware(BelowBasePath, base_path=config.base_path)


def _open_paths(serving: Serving) -> frozenset[str]:
    """What needs no key: health, where a lone container's orchestrator asks for it on this port."""
    return frozenset({HEALTH_PATH, STARTUP_PATH, READY_PATH} if serving.config.probes_on_http else ())
