"""Patches of pod templates under each value of `policy.podTemplate`."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.observe.policy import Policy
from whisper_operator.resolve.preflight.policy_pods import RULE
from whisper_operator.resolve.preflight.policy_rules import Subject


def found(template: Any, **policy: Any) -> list[str]:
    return list(RULE.find(Subject({"podTemplate": template}, "speech", "team", Policy(**policy))))


SPEC = "spec.podTemplate.spec"
HOST_PID = {"spec": {"hostPID": True}}


def test_each_setting_draws_its_line() -> None:
    labelled = {"metadata": {"labels": {"team": "a"}}}
    assert found(labelled, pod_template="Off") == ["spec.podTemplate"]
    assert (found(labelled), found(HOST_PID)) == ([], [f"{SPEC}.hostPID true"])
    assert found(HOST_PID, pod_template="Full") == []
    assert found({}, pod_template="Off") == []


@pytest.mark.parametrize(
    ("template", "fields"),
    [
        ("x", ["spec.podTemplate 'x'"]),
        ({"spec": {"containers": {"a": 1}}}, [f"{SPEC}.containers"]),
        ({"spec": {"containers": [None, 1]}}, [f"{SPEC}.containers[1] 1"]),
        ({"metadata": {"labels": ["a"]}}, ["spec.podTemplate.metadata.labels"]),
        ({"spec": {"securityContext": {"$patch": "delete"}}}, [f"{SPEC}.securityContext.$patch 'delete'"]),
        ({"spec": {"containers": [{"name": "server", "$patch": "replace"}]}},
         [f"{SPEC}.containers[server].$patch 'replace'"]),
        ({"spec": {"serviceAccountName": {"$patch": "delete"}}}, [f"{SPEC}.serviceAccountName"]),
        ({"spec": {"tolerations": [{"key": None, "operator": "Exists"}]}}, [f"{SPEC}.tolerations[0].key"]),
        ({"spec": {"securityContext": {"runAsUser": True}}}, [f"{SPEC}.securityContext.runAsUser true"]),
        ({"spec": {"volumes": [{"name": "models", "emptyDir": {}}]}}, [f"{SPEC}.volumes[models].name 'models'"]),
        ({"spec": {"hostNetwork": True, "hostPID": False, "hostIPC": "yes"}},
         [f"{SPEC}.hostNetwork true", f"{SPEC}.hostIPC 'yes'"]),
    ],
)  # fmt: skip
def test_every_other_shape_is_refused_by_its_field(template: Any, fields: list[str]) -> None:
    assert found(template) == fields
