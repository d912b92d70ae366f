"""Each pod is asked for what its service's spec makes it know, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import observed, pod, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.reconcile import pod_reports
from whisper_operator.reconcile.demand import DemandReader
from whisper_operator.reconcile.pods_reader import PodsReader

READY = {"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}
SCALED_TO_ZERO = {"replicas": None, "autoscaling": {"minReplicas": 0, "maxReplicas": 1}}


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        ({}, []),
        ({"jobs": {}}, ["/jobs"]),
        ({"redis": {"secretKeyRef": {"name": "redis", "key": "url"}}}, ["/store"]),
        (SCALED_TO_ZERO, ["/load"]),
        ({**SCALED_TO_ZERO, "jobs": {}}, ["/load", "/jobs"]),
    ],
    ids=["nothing", "jobs", "a shared store", "zero replicas", "zero replicas and jobs"],
)
async def test_a_ready_server_is_asked(monkeypatch: pytest.MonkeyPatch, spec: dict[str, Any], paths: list[str]) -> None:
    asked: list[str] = []

    async def ask(_pod: Manifest, path: str, _report: object, _news: object) -> None:
        asked.append(path)

    monkeypatch.setattr(pod_reports, "ask", ask)
    wanted, live = service(**spec), observed(pod("server", "one", **READY))
    facts = await PodsReader(DemandReader()).with_reports(("team", "speech"), wanted, live)
    assert asked == paths
    assert (facts.jobs, facts.load, facts.progress) == (None, None, None), "a pod that does not answer"
