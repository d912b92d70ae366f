"""The parts that all pods of a service share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import service
from whisper_operator.build import pod
from whisper_operator.observe.installation import Installation
from whisper_runtime.contract.config import RuntimeConfig


@pytest.mark.parametrize(("group", "fields"), [(1000, {"fsGroup", "fsGroupChangePolicy"}), (None, set[str]())])
def test_the_group_is_the_installations_or_the_platforms(group: int | None, fields: set[str]) -> None:
    context = pod.common(service(), Installation("runtime:1", fs_group=group))["securityContext"]
    assert {name for name in context if name.startswith("fsGroup")} == fields
    assert context["runAsNonRoot"] is True


def test_scheduling_and_pull_secrets_are_passed_on() -> None:
    wanted = service(
        image={"pullSecrets": [{"name": "pull"}]},
        scheduling={"nodeSelector": {"zone": "a"}, "priorityClassName": "speech"},
    )
    found = pod.common(wanted, Installation("runtime:1"))
    assert found["imagePullSecrets"] == [{"name": "pull"}]
    assert (found["nodeSelector"], found["priorityClassName"]) == ({"zone": "a"}, "speech")
    assert "tolerations" not in found


@pytest.mark.parametrize(
    ("cache", "volumes"),
    [
        ({}, [{"name": "models", "persistentVolumeClaim": {"claimName": "speech-models"}}]),
        ({"existingClaim": "shared"}, [{"name": "models", "persistentVolumeClaim": {"claimName": "shared"}}]),
        ({"type": "EmptyDir", "size": "2048Mi"}, [{"name": "models", "emptyDir": {"sizeLimit": "2Gi"}}]),
        ({"type": "Image"}, []),
    ],
)
def test_where_the_models_are(cache: dict[str, Any], volumes: list[dict[str, Any]]) -> None:
    assert pod.models_volume(service(cache=cache)) == volumes


def test_variables_are_sorted_by_name() -> None:
    names = [one["name"] for one in pod.variables(RuntimeConfig(model="base", language="en", device="cpu"))]
    assert names == sorted(names)
