"""Patches of pod templates under each value of `policy.podTemplate`."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.observe.policy import Policy
from whisper_operator.resolve.preflight.policy_pods import RULES
from whisper_operator.resolve.preflight.policy_rules import Subject


def found(template: Any, **policy: Any) -> list[str]:
    return offences({"podTemplate": template}, **policy)


def offences(spec: dict[str, Any], **policy: Any) -> list[str]:
    subject = Subject(spec, "speech", "team", Policy(**policy))
    return [one for rule in RULES for one in rule.find(subject)]


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


@pytest.mark.parametrize("setting", ["Off", "Restricted"])
def test_an_affinity_to_pods_of_other_namespaces_is_found_without_a_template(setting: str) -> None:
    terms = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "namespaceSelector": {}}]}
    spec = {"scheduling": {"affinity": {"podAntiAffinity": terms}}}
    place = "spec.scheduling.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"
    assert offences(spec, pod_template=setting) == [f"{place}.namespaceSelector"]
    assert offences(spec, pod_template="Full") == []
