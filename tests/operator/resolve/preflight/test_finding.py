"""The values that several checks need."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import deployment, observed, resolved, service
from whisper_operator.resolve.preflight.finding import CheckInput
from whisper_operator.resolve.sizing import resources

BASE: dict[str, Any] = {"cache": {"type": "EmptyDir"}}


def given(ready: int | None = None, **spec: Any) -> CheckInput:
    wanted = service(**BASE, **spec)
    there = observed() if ready is None else observed(deployment(service(**BASE), readyReplicas=ready))
    found = resolved(wanted, there)
    return CheckInput(wanted, there.facts, found.claim, None, found.model.needs_source, found.replicas)


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [({"replicas": 3}, 3), ({"autoscaling": {"minReplicas": 2}}, 2), ({"replicas": 3, "suspend": True}, 0)],
)
def test_the_pods_that_must_find_room(spec: dict[str, Any], wanted: int) -> None:
    assert given(**spec).wanted_replicas == wanted


@pytest.mark.parametrize(("ready", "needs_room"), [(None, True), (0, True), (1, False)])
def test_pods_that_run_have_shown_that_they_fit(ready: int | None, needs_room: bool) -> None:
    assert given(ready).needs_room is needs_room


def test_the_resources_are_those_of_the_wanted_model() -> None:
    assert given(model={"name": "large-v3"}).resources == resources(service(model={"name": "large-v3"}).spec)
