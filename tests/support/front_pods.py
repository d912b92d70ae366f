"""The pods of a front where no node runs any: each is an HTTP server at an address of this machine of its own."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.web_server import FakeRequest, answering
from tests.support.kubectl import Kubectl
from tests.support.kubelet import write_status
from tests.support.waiting import awaited
from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.network import METRICS_PORT

ADDRESSES = (f"127.88.{high}.{low}" for high, low in itertools.product(range(1, 255), range(1, 255)))
"""Each for one pod: no two fronts are told apart by their port."""


@dataclass
class FrontPods:
    """What the pods of a front report of requests, and how often they were asked."""

    held: int = 0
    active: int = 0
    idle: float = 0.0
    is_silent: bool = False
    """Whether they answer as something else does."""
    unended: int | None = None
    """Jobs that have not ended; None: they keep none."""
    questions: int = 0
    forecast: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the operator has said last of the pod that is to come."""
    addresses: list[str] = field(default_factory=list[str])

    @property
    def report(self) -> bytes:
        idle = 0.0 if self.held or self.active else self.idle
        numbers = {"heldRequests": self.held, "heldBytes": 7 * self.held, "activeRequests": self.active}
        return json.dumps({**numbers, "idleSeconds": idle}).encode()


class DemandRequest(FakeRequest):
    pods: FrontPods

    def do_POST(self) -> None:
        self.pods.forecast = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def do_GET(self) -> None:
        self.pods.questions += 1
        if self.path == "/jobs" and self.pods.unended is not None:
            report = {"queued_audio_seconds": 0, "oldest_queued": None, "unended": self.pods.unended}
            self.answer(200, json.dumps(report).encode())
        elif self.pods.is_silent or self.path != "/demand":
            self.answer(404, b"{}")
        else:
            self.answer(200, self.pods.report)


@contextmanager
def front_pods(count: int = 2) -> Iterator[FrontPods]:
    """The servers of that many pods, until the end of the block."""
    found = FrontPods()
    with ExitStack() as running:
        for address in itertools.islice(ADDRESSES, count):
            running.enter_context(answering(DemandRequest, address, METRICS_PORT, pods=found))
            found.addresses.append(address)
        yield found


def make_ready(namespace: Kubectl, component: str, *addresses: str) -> None:
    """The service's pods of that component, one for each address, are scheduled, run, and are ready from now on."""

    def started() -> list[Manifest] | None:
        pods = sorted(namespace.pods_of("speech", component), key=lambda pod: pod["metadata"]["name"])
        starting = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        return starting if len(starting) == len(addresses) else None

    pods = awaited(f"{len(addresses)} pods of {component} are made", started)
    for pod, address in zip(pods, addresses, strict=True):
        write_status(namespace, "pod", pod["metadata"]["name"], ready_at(address))


def ready_at(address: str) -> dict[str, Any]:
    """The status of a pod that is ready since now."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    kinds = ("Initialized", "ContainersReady", "Ready", "PodScheduled")
    conditions = [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in kinds]
    return {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": conditions}
