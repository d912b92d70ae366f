"""Between no pod and one: each situation in which the operator starts the first, ends the last, or leaves them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from whisper_operator.api import conditions as c
from whisper_operator.observe.demand import FrontDemand
from whisper_operator.resolve.scaling import SILENT_SECONDS, ScaleInput, ScaleStep, next_step

QUIET = FrontDemand(idle_seconds=600.0)
AT_REST = ScaleInput(
    may_sleep=True,
    fewest=0,
    wanted=0,
    is_asleep_by_us=True,
    is_busy=False,
    has_model_to_prove=False,
    demand=QUIET,
    awake_seconds=0.0,
    asleep_seconds=0.0,
    after=600.0,
)
IDLE = replace(AT_REST, wanted=3, is_asleep_by_us=False, awake_seconds=600.0)


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({}, None),
        ({"demand": FrontDemand(held=1)}, ScaleStep(1, c.DEMANDED)),
        ({"demand": FrontDemand(active=1)}, ScaleStep(1, c.DEMANDED)),
        ({"demand": FrontDemand(held=1, silent=("two",))}, ScaleStep(1, c.DEMANDED)),
        ({"demand": FrontDemand(held=1), "is_asleep_by_us": False}, ScaleStep(1, c.DEMANDED)),
        ({"demand": None}, None),
        ({"demand": FrontDemand(silent=("one",), silent_seconds=SILENT_SECONDS - 1)}, None),
        ({"demand": FrontDemand(silent=("one",), silent_seconds=SILENT_SECONDS)}, ScaleStep(1, c.FRONT_SILENT)),
        ({"demand": FrontDemand(silent_seconds=SILENT_SECONDS)}, ScaleStep(1, c.FRONT_SILENT)),
        ({"has_model_to_prove": True}, ScaleStep(1, c.MODEL_TO_PROVE)),
        ({"asleep_seconds": 600.0}, None),
        ({"asleep_seconds": 601.0}, ScaleStep(1, c.DEMANDED)),
        ({"asleep_seconds": 601.0, "demand": FrontDemand(silent=("one",))}, None),
        ({"may_sleep": False, "fewest": 0}, ScaleStep(1, c.SPEC_CHANGED)),
        ({"may_sleep": False, "fewest": 3}, ScaleStep(3, c.SPEC_CHANGED)),
        ({"may_sleep": False, "fewest": 3, "is_asleep_by_us": False}, None),
        ({"may_sleep": False, "is_asleep_by_us": False, "demand": FrontDemand(held=1)}, None),
    ],
    ids=[
        "nobody asks",
        "a request is held",
        "a request is under way",
        "a request is held, and a pod of the front is silent",
        "a request is held, and somebody else scaled to zero",
        "the front was not asked",
        "the front is silent for a moment",
        "the front is silent for a minute",
        "the front has no ready pod for a minute",
        "another model is to be proven",
        "pods that keep jobs ended after the last request",
        "pods that keep jobs had a request while they ended",
        "of a silent pod nobody knows when its last request was",
        "the spec lets something else scale",
        "the spec wants three pods",
        "the spec wants three pods, and somebody else scaled to zero",
        "a request is held, and something else is to scale",
    ],
)
def test_a_service_without_pods(given: dict[str, Any], step: ScaleStep | None) -> None:
    assert next_step(replace(AT_REST, **given)) == step


@pytest.mark.parametrize(
    ("given", "sleeps"),
    [
        ({}, True),
        ({"demand": FrontDemand(idle_seconds=599.0)}, False),
        ({"awake_seconds": 599.0}, False),
        ({"demand": replace(QUIET, held=1)}, False),
        ({"demand": replace(QUIET, active=1)}, False),
        ({"demand": replace(QUIET, silent=("two",))}, False),
        ({"demand": FrontDemand(idle_seconds=600.0, silent_seconds=1.0)}, False),
        ({"demand": None}, False),
        ({"is_busy": True}, False),
        ({"may_sleep": False}, False),
    ],
    ids=[
        "nobody asks",
        "somebody asked before that time",
        "a pod became ready within that time",
        "a request is held",
        "a request is under way",
        "a pod of the front is silent",
        "no pod of the front is ready",
        "the front was not asked",
        "pods are rolled out or proven",
        "something else scales",
    ],
)
def test_a_service_with_pods(given: dict[str, Any], sleeps: bool) -> None:
    assert next_step(replace(IDLE, **given)) == (ScaleStep(0, c.IDLE) if sleeps else None)
