"""The layers around the routes of a server, or around the front: all of them decide before the body is read.

It imports nothing of the model, for the front has none.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.network import BALANCER_PATH, HEALTH_PATH, READY_PATH, STARTUP_PATH
from whisper_runtime.http.middleware.absolute_form import AbsoluteFormMiddleware
from whisper_runtime.http.middleware.access_log import AccessLogMiddleware, RequestCounts
from whisper_runtime.http.middleware.admission import AdmissionMiddleware, Door
from whisper_runtime.http.middleware.authentication import AuthenticationMiddleware, KeyRing
from whisper_runtime.http.middleware.base_path import BasePathMiddleware
from whisper_runtime.http.middleware.drain import DrainMiddleware
from whisper_runtime.http.middleware.groq_path import GroqPathMiddleware
from whisper_runtime.http.middleware.trace import TraceMiddleware
from whisper_runtime.http.middleware.upload_limits import UploadLimitsMiddleware
from whisper_runtime.http.response_headers import IGNORED_FIELDS, JOB_RESPONSE_HEADERS
from whisper_runtime.http.routes.page import PAGE_PATHS
from whisper_runtime.media.track_taken import HEADER as TRACK_HEADER
from whisper_runtime.service.lifecycle import Lifecycle
from whisper_runtime.service.rate_limits import RATE_HEADERS
from whisper_runtime.service.result_cache.headers import CACHE_HEADERS
from whisper_runtime.service.tracing import Tracing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LayerParts:
    """What the layers need of the process behind them."""

    lifecycle: Lifecycle
    door: Door
    counts: RequestCounts
    tracing: Tracing | None
    """None: no spans are sent."""
    takes_jobs: bool
    """Whether the door has a place for a request that is to become a job."""
    has_jobs: bool
    """Whether there are routes of jobs."""
    keeps_results: bool


def layers(config: RuntimeConfig, parts: LayerParts) -> list[Middleware]:
    """The layers, outermost first."""
    wanted = (
        Middleware(AbsoluteFormMiddleware),  # outermost: every other layer sees a path …
        _base_path(config),  # … without what a proxy puts before it …
        Middleware(GroqPathMiddleware),  # … and the one that the routes have
        Middleware(DrainMiddleware, lifecycle=parts.lifecycle),  # outside of every layer that responds
        _cors(config, parts),  # outside of all that refuses: a preflight has no key, and a page may read a 500
        Middleware(TraceMiddleware, tracing=parts.tracing),  # outside of the log, whose lines have the trace's id
        Middleware(AccessLogMiddleware, metrics=parts.counts),  # logs and counts what any layer below responds
        _authentication(config),  # before admission, whose limits tell clients apart by their keys
        # before a byte of the body is read
        Middleware(AdmissionMiddleware, admission=parts.door, takes_jobs=parts.takes_jobs),
        Middleware(
            UploadLimitsMiddleware,  # innermost: bounds what is read of an admitted body
            max_bytes=parts.door.max_upload_bytes,
            max_seconds=config.request_timeout_seconds,
        ),
    )
    return [layer for layer in wanted if layer is not None]


def _base_path(config: RuntimeConfig) -> Middleware | None:
    return Middleware(BasePathMiddleware, base_path=config.base_path) if config.base_path else None


def _cors(config: RuntimeConfig, parts: LayerParts) -> Middleware | None:
    if not config.cors_allow_origins:
        return None
    return Middleware(
        CORSMiddleware,
        allow_origins=config.cors_allow_origins,
        allow_methods=["GET", "POST", "DELETE"] if parts.has_jobs else ["GET", "POST"],
        allow_headers=["*"],  # OpenAI's client in a browser sends a dozen of its own, X-Stainless-*
        expose_headers=[
            *("X-Request-ID", "Retry-After", "X-Should-Retry", IGNORED_FIELDS, TRACK_HEADER, *RATE_HEADERS),
            *(CACHE_HEADERS if parts.keeps_results else ()),
            *(JOB_RESPONSE_HEADERS if parts.has_jobs else ()),
        ],
    )


def _authentication(config: RuntimeConfig) -> Middleware | None:
    if config.api_keys_dir is None:
        log.warning("NO AUTHENTICATION: every client of port %d is served; set WHISPER_API_KEYS_DIR", config.port)
        return None
    keys = KeyRing(Path(config.api_keys_dir))
    if not len(keys):
        log.warning("NO API KEY in %s: every request gets 401; mount one file for each client", config.api_keys_dir)
    # Load balancers have no key, nor has a lone container's orchestrator, which asks for health on this port, nor a
    # browser that opens the page, which asks its reader for one.
    probed = {HEALTH_PATH, STARTUP_PATH, READY_PATH} if config.probes_on_http else set[str]()
    open_paths = frozenset({BALANCER_PATH, *probed, *(PAGE_PATHS if config.ui else ())})
    return Middleware(AuthenticationMiddleware, keys=keys, open_paths=open_paths)
