"""A step between no pod and one is carried out on the version that was judged, and counted."""

from __future__ import annotations

from typing import Any, cast

import pytest
from prometheus_client import REGISTRY

from tests.operator.samples import rolled_out, service
from whisper_operator.api import conditions as c
from whisper_operator.api.status import ScaleToZeroStatus, Status
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import Kind
from whisper_operator.reconcile.scale import carry_out, observe_wake
from whisper_operator.reconcile.troubles import Troubles
from whisper_operator.resolve.scaling import ScaleStep

BAKED = service(cache={"type": "Image"})


class ScalingCluster:
    """Stands for the API server, which answers by `error` where there is one."""

    def __init__(self, error: ApiError | None = None) -> None:
        self.error = error
        self.numbers: list[int] = []

    async def scale(self, _kind: Kind, _live: Manifest, replicas: int) -> None:
        if self.error:
            raise self.error
        self.numbers.append(replicas)


def counted(metric: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(metric, labels) or 0.0


@pytest.mark.parametrize(
    ("step", "metric", "labels"),
    [
        (ScaleStep(1, c.DEMANDED), "whisper_operator_wakes_total", {"cause": "Demanded"}),
        (ScaleStep(0, c.IDLE), "whisper_operator_sleeps_total", {}),
    ],
    ids=["a wake", "a sleep"],
)
async def test_a_step_is_counted(step: ScaleStep, metric: str, labels: dict[str, str]) -> None:
    cluster, troubles, before = ScalingCluster(), Troubles(), counted(metric, **labels)
    assert await carry_out(step, rolled_out(BAKED), cast(Cluster, cluster), troubles)
    assert (cluster.numbers, troubles.refused, counted(metric, **labels)) == ([step.replicas], [], before + 1)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ApiError("PATCH", 409, "Conflict", "another version"), []),
        (ApiError("PATCH", 403, "Forbidden", "no right"), ["scale of Deployment/speech to 1: no right"]),
    ],
    ids=["somebody else wrote", "no right"],
)
async def test_a_step_that_is_refused_is_tried_again(error: ApiError, told: list[str]) -> None:
    troubles, deployment = Troubles(), rolled_out(BAKED)
    cluster: Any = ScalingCluster(error)
    assert not await carry_out(ScaleStep(1, c.DEMANDED), deployment, cluster, troubles)
    assert troubles.error is error
    assert [one.message for one in troubles.refused] == told


def test_the_time_of_a_wake_is_observed_once_it_is_known() -> None:
    starts, ready = (
        Status(scale_to_zero=ScaleToZeroStatus(last_wake="2026-01-01T00:00:00Z", seconds=seconds))
        for seconds in (None, 14)
    )
    before = counted("whisper_operator_wake_seconds_sum")
    for was, now in ((Status(), starts), (starts, ready), (ready, ready), (ready, starts)):
        observe_wake(was, now)
    assert counted("whisper_operator_wake_seconds_sum") == before + 14
