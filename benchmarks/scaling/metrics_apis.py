"""Of played pods metrics.k8s.io and custom.metrics.k8s.io, which autoscalers ask, and a front, which KEDA asks."""

from __future__ import annotations

import datetime
import http.server
import json
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from testbed.cluster.controlplane import ControlPlane
from tests.fakes.web_server import FakeRequest
from whisper_operator.objects.names import SERVER
from whisper_runtime.contract.front import DemandReport
from whisper_runtime.contract.metric_names import FRONT_HELD_AUDIO_METRIC, QUEUED_AUDIO_METRIC

METRICS: Final = "/apis/metrics.k8s.io/v1beta1"
CUSTOM_METRICS: Final = "/apis/custom.metrics.k8s.io/v1beta2"
QUEUED: Final = f"pods/{QUEUED_AUDIO_METRIC}"
HELD: Final = f"services/{FRONT_HELD_AUDIO_METRIC}"
CPU_WINDOW: Final = 15
"""Seconds: metrics-server's --metric-resolution, as its manifest has it."""
SCRAPE_SECONDS: Final = 30
"""Between two scrapes of a ServiceMonitor of ours, where the spec says nothing."""


@dataclass
class PublishedMetrics:
    """By namespace, as of the last time that somebody would have read it from the pods."""

    cpu: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    """Processors that each pod used, by its name."""
    cpu_at: str = ""
    queued: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    """Seconds of audio that wait in each pod."""
    queued_at: str = ""
    held: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds of audio that wait at the front of each namespace, as of then."""
    demand: DemandReport = field(
        default_factory=lambda: DemandReport(held_requests=0, held_bytes=0, active_requests=0, idle_seconds=0)
    )
    """What the front that KEDA asks has now."""


def timestamp() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def answer_of(path: str, published: PublishedMetrics) -> dict[str, Any] | None:
    """The body of the answer; None: there is nothing at that path. A namespace has the pods of one service alone."""
    if path == METRICS:
        return _resources("metrics.k8s.io/v1beta1", "PodMetrics", "pods")
    if path == CUSTOM_METRICS:
        return _resources("custom.metrics.k8s.io/v1beta2", "MetricValueList", QUEUED, HELD)
    version, _, within = path.partition("/namespaces/")
    namespace, _, rest = within.partition("/")
    if (version, rest) == (METRICS, "pods"):
        return _pod_metrics(namespace, published)
    kind, metric = rest.partition("/")[0], rest.rpartition("/")[2]
    if version == CUSTOM_METRICS and f"{kind}/{metric}" == QUEUED:
        return _metric_values(namespace, "Pod", metric, published.queued.get(namespace, {}), published.queued_at)
    if version == CUSTOM_METRICS and f"{kind}/{metric}" == HELD:
        of_front = {rest.split("/")[1]: published.held[namespace]} if namespace in published.held else {}
        return _metric_values(namespace, "Service", metric, of_front, published.queued_at)
    return None


def _resources(version: str, kind: str, *names: str) -> dict[str, Any]:
    common = {"singularName": "", "namespaced": True, "kind": kind, "verbs": ["get", "list"]}
    served = [{"name": name, **common} for name in names]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": served}


def _pod_metrics(namespace: str, published: PublishedMetrics) -> dict[str, Any]:
    items = [
        {
            "metadata": {"name": name, "namespace": namespace},
            "timestamp": published.cpu_at,
            "window": f"{CPU_WINDOW}s",
            "containers": [{"name": SERVER, "usage": {"cpu": f"{used * 1000:.0f}m", "memory": "1Gi"}}],
        }
        for name, used in published.cpu.get(namespace, {}).items()
    ]
    return {"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items}


def _metric_values(namespace: str, kind: str, metric: str, values: dict[str, float], at: str) -> dict[str, Any]:
    items = [
        {
            "describedObject": {"kind": kind, "namespace": namespace, "name": name, "apiVersion": "/v1"},
            "metric": {"name": metric},
            "timestamp": at,
            "value": f"{seconds:.0f}",
        }
        for name, seconds in values.items()
    ]
    return {"kind": "MetricValueList", "apiVersion": "custom.metrics.k8s.io/v1beta2", "metadata": {}, "items": items}


class PlayedMetricsRequest(FakeRequest):
    published: PublishedMetrics

    def do_GET(self) -> None:
        found = answer_of(urlsplit(self.path).path, self.published)
        body = json.dumps(found or {}).encode()
        self.answer(404 if found is None else 200, body, {"Content-Type": "application/json"})


class PlayedFrontRequest(FakeRequest):
    published: PublishedMetrics

    def do_GET(self) -> None:
        body = self.published.demand.model_dump_json(by_alias=True).encode()
        self.answer(200, body, {"Content-Type": "application/json"})


@contextmanager
def serving(plane: ControlPlane, published: PublishedMetrics) -> Generator[int]:
    """The port of both APIs, by TLS, with the API server's own certificate."""
    handler = type("Handler", (PlayedMetricsRequest,), {"published": published})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(plane.certificate, plane.directory / "pki/apiserver.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
