"""The front's two ASGI applications: one for clients, behind the servers' own layers, and one for the cluster."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from starlette.routing import Mount, Router
from starlette.types import ASGIApp

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.front.demand import DemandCounter
from whisper_runtime.front.door import FrontDoor
from whisper_runtime.front.forwarding import Forwarding
from whisper_runtime.front.front_store import FrontStore
from whisper_runtime.front.kept_answers import KeptAnswers, takes_results
from whisper_runtime.front.load_client import LoadClient
from whisper_runtime.front.metrics import FrontMetrics
from whisper_runtime.front.outlook import Outlook
from whisper_runtime.front.probes import FrontProbes
from whisper_runtime.front.server_client import ServerClient
from whisper_runtime.front.server_watch import ServerWatch
from whisper_runtime.front.taken_jobs import TakenJobs, takes_jobs
from whisper_runtime.front.turnstile import Turnstile
from whisper_runtime.http.layers import LayerParts, layers
from whisper_runtime.http.routes import page
from whisper_runtime.service.lifecycle import Lifecycle
from whisper_runtime.service.tracing import Tracing


@dataclass(frozen=True)
class FrontParts:
    config: RuntimeConfig
    lifecycle: Lifecycle
    turnstile: Turnstile
    servers: ServerClient
    watch: ServerWatch
    demand: DemandCounter
    outlook: Outlook
    door: FrontDoor
    metrics: FrontMetrics
    probes: FrontProbes
    store: FrontStore | None
    """None: nothing is known here of what servers share."""
    kept: KeptAnswers | None
    """None: no result is known here."""
    jobs: TakenJobs | None
    """None: none is taken here."""
    tracing: Tracing | None
    """None: no spans are sent."""


def front_parts(config: RuntimeConfig, transport: httpx.AsyncBaseTransport, tracing: Tracing | None) -> FrontParts:
    """The front that `config` describes, which reaches servers by `transport`."""
    lifecycle, turnstile, demand = Lifecycle(), Turnstile(), DemandCounter()
    outlook = Outlook(turnstile, demand, config.request_timeout_seconds)
    door = FrontDoor(config, lifecycle, outlook, takes_jobs=takes_jobs(config))
    metrics = FrontMetrics(demand, lambda: door.disk.used, turnstile, lambda: outlook.held_wait)
    store = FrontStore(config, metrics.registry) if takes_results(config) or takes_jobs(config) else None
    return FrontParts(
        config,
        lifecycle,
        turnstile,
        ServerClient(transport, config.request_timeout_seconds),
        ServerWatch(turnstile, LoadClient(transport).ask),
        demand,
        outlook,
        door,
        metrics,
        FrontProbes(lifecycle, demand, metrics, outlook),
        store,
        KeptAnswers(store) if store and takes_results(config) else None,
        TakenJobs(store, lambda: outlook.server_speed, metrics.took_job) if store and takes_jobs(config) else None,
        tracing,
    )


def clients_app(parts: FrontParts) -> ASGIApp:
    """The application for clients."""
    config, probes = parts.config, parts.probes
    forwarding = Forwarding(
        parts.turnstile,
        parts.servers,
        parts.demand,
        parts.outlook,
        parts.metrics,
        parts.kept,
        parts.jobs,
        spool_dir=config.spool_dir,
        wait_seconds=config.request_timeout_seconds,
        token=config.front_token,
    )
    of_layers = LayerParts(
        parts.lifecycle,
        parts.door,
        parts.metrics,
        parts.tracing,
        takes_jobs=True,  # whether a request becomes a job is for a server to say; here it waits for no row
        has_jobs=True,
        keeps_results=True,
    )
    own = [
        *probes.for_clients(),
        *(probes.for_the_cluster() if config.probes_on_http else ()),
        *(page.routes() if config.ui else ()),
    ]
    app: ASGIApp = Router([*own, Mount("", forwarding)], redirect_slashes=False)
    for layer in reversed(layers(config, of_layers)):
        app = layer.cls(app, *layer.args, **layer.kwargs)
    return app


def cluster_app(parts: FrontParts) -> ASGIApp:
    """The application for the kubelet, Prometheus and the operator, on a port that no client reaches."""
    return Router([*parts.probes.for_the_operator(), *parts.probes.for_the_cluster()], redirect_slashes=False)
