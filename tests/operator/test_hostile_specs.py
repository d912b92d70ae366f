"""Given any spec, its open parts full of anything, the pure decisions come to an end: none crashes, none is unsure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests.operator.samples import ENV, NOW, children, live, node, observed, pod, resolved
from tests.support.hostile.schema import service, specs
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.cli.render import rendered
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.resolve.rollout import needs_requests
from whisper_operator.status.assemble import observed_status
from whisper_operator.status.blocking import preflight_passed

pytestmark = pytest.mark.slow

TAINT = {"key": "team", "value": "vision", "effect": "NoSchedule"}
NODES = (node(), node("gpus", gpu="8", taints=(TAINT,), labels={"zone": "a"}))


@given(specs(with_open_parts=True))
def test_every_decision_is_made(spec: dict[str, Any]) -> None:
    """Beside nodes, a live Deployment of another template, and pods that look for room."""
    wanted, before = parsed(spec), parsed({"model": {"name": "tiny"}, "cache": {"type": "EmptyDir"}})
    running = [live(one, status={}) for one in rendered(before, ENV) if one["kind"] == DEPLOYMENT.kind]
    there = observed(*running, pod("server"), nodes=NODES, secrets={}, storage_classes={})
    template = running[0]["spec"]["template"]
    assert children(wanted, there) == children(wanted, there)
    found = resolved(wanted, there)
    assert preflight_passed(found).status in ("True", "False")
    assert needs_requests(found, template) in (True, False)
    assert observed_status(found, [], NOW).conditions


def parsed(spec: dict[str, Any]) -> WhisperService:
    return WhisperService.parse(service(spec))
