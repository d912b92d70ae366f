"""The metrics of the operator and of its services."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY

from tests.operator.conftest import NOT_IMPLEMENTED
from tests.operator.samples import ENV, NOW
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.kube.lease import Lease
from whisper_operator.objects.kinds import Kind
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.reconcile.events import Recorder
from whisper_operator.reconcile.reconciler import Reconciler
from whisper_operator.telemetry import metrics
from whisper_runtime.contract.version import VERSION

ROOT = Path(__file__).resolve().parents[3]
KEY = ("team", "speech")


def value(metric: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(metric, labels)


def body(spec: dict[str, Any], *rows: tuple[str, str, str]) -> Manifest:
    conditions = [{"type": kind, "status": status, "reason": reason} for kind, status, reason in rows]
    return {
        "kind": "WhisperService",
        "metadata": {"namespace": KEY[0], "name": KEY[1], "uid": "1", "resourceVersion": "1", "generation": 1},
        "spec": spec,
        "status": {"conditions": conditions},
    }


def test_the_operator_shows_its_version() -> None:
    assert value("whisper_operator_build_info", version=VERSION) == 1


def test_every_condition_of_a_service_is_shown_while_the_service_is_there() -> None:
    services = [body({}, ("Ready", "False", "Fetching"), ("Reconciling", "True", "Fetching"))]
    shown = metrics.register(lambda: services)
    labels = {"namespace": "team", "name": "speech", "reason": "Fetching"}
    metric = "whisper_operator_service_condition"
    assert value(metric, condition="Ready", status="False", **labels) == 1
    assert value(metric, condition="Reconciling", status="True", **labels) == 1
    services.clear()
    assert value(metric, condition="Ready", status="False", **labels) is None
    metrics.unregister(shown)


class OneLease:
    """A Lease that another replica holds, or that nobody has made yet."""

    def __init__(self, holder: str | None) -> None:
        self.holder = holder
        self.asked = asyncio.Event()

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        self.asked.set()
        if self.holder is None:
            return None
        return {"metadata": {"resourceVersion": "1"}, "spec": {"holderIdentity": self.holder}}

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        return manifest

    async def replace(self, kind: Kind, manifest: Manifest) -> Manifest:
        raise ApiError("PUT", 409, "Conflict", "")


async def test_the_standby_shows_that_it_does_not_lead() -> None:
    others = OneLease("other")
    waiting = asyncio.create_task(Lease(others, "system", "whisper-operator", "one").acquire())
    await others.asked.wait()
    assert value("leader_election_master_status", name="whisper-operator") == 0
    waiting.cancel()
    await Lease(OneLease(None), "system", "whisper-operator", "one").acquire()
    assert value("leader_election_master_status", name="whisper-operator") == 1


class StatusServer:
    """Stands for the API server where only statuses and Events are written."""

    is_dry = True

    def __init__(self) -> None:
        self.written: list[Manifest] = []
        self.events: list[Manifest] = []

    async def apply(self, kind: Kind, manifest: Manifest, *, subresource: str = "") -> Manifest:
        if subresource:
            self.written.append(manifest)
        return manifest

    async def create(self, kind: Kind, manifest: Manifest) -> None:
        self.events.append(manifest)


def reconciling(cache: ObjectCache, server: StatusServer) -> Reconciler:
    cluster = cast(Cluster, server)
    return Reconciler(cluster, cache, Recorder(cluster, "one"), lambda: ENV)


@pytest.mark.parametrize(
    "spec",
    [
        {"model": {}},
        {"model": {"name": "base"}, **NOT_IMPLEMENTED},
    ],
)
@pytest.mark.usefixtures("redis_not_implemented")
async def test_a_spec_that_only_its_author_can_mend_is_counted_apart(spec: dict[str, Any]) -> None:
    cache, server = ObjectCache(whole_cluster=True), StatusServer()
    cache.observe(body(spec))
    reconciler = reconciling(cache, server)
    metric, labels = "controller_runtime_terminal_reconcile_errors_total", {"controller": "whisperservice"}
    before = value(metric, **labels) or 0.0
    await reconciler.reconcile(KEY)
    assert value(metric, **labels) == before + 1
    assert [written["status"]["conditions"][0]["status"] for written in server.written] == ["False"]
    assert [event["type"] for event in server.events] == ["Warning"]


@pytest.mark.parametrize(("observed_generation", "measured"), [(0, 1), (1, 0)])
async def test_the_time_to_ready_is_measured_of_changes_that_this_process_saw(
    observed_generation: int, measured: int
) -> None:
    cache, metric = ObjectCache(whole_cluster=True), "whisper_operator_ready_seconds_count"
    suspended = body({"model": {"name": "base"}, "suspend": True, "cache": {"type": "EmptyDir"}})
    was_ready = {"type": "Ready", "status": "True", "reason": "Suspended", "lastTransitionTime": NOW}
    cache.observe({**suspended, "status": {"observedGeneration": observed_generation, "conditions": [was_ready]}})
    before = value(metric) or 0.0
    await reconciling(cache, StatusServer()).reconcile(KEY)
    assert value(metric) == before + measured
