"""The installation in the operator's manifests, as helm and kubectl write them; the chart's own: tests/chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from whisper_operator.cli.installation_file import read_installation
from whisper_operator.observe.defaults import NO_DEFAULTS
from whisper_operator.observe.policy import Policy

IMAGE = {"name": "WHISPER_OPERATOR_RUNTIME_IMAGE", "value": "registry.example.com/runtime:1"}
POD_NAME = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}


def deployment(*env: dict[str, Any]) -> dict[str, Any]:
    containers = [{"name": "proxy"}, {"name": "operator", "env": [POD_NAME, *env]}]
    return {"kind": "Deployment", "spec": {"template": {"spec": {"containers": containers}}}}


def written(folder: Path, *bodies: Any) -> Path:
    (folder / "operator.yaml").write_text(yaml.safe_dump_all(bodies))
    return folder / "operator.yaml"


@pytest.mark.parametrize(
    "bodies",
    [
        [None, {"kind": "Service"}, deployment(IMAGE)],
        [{"kind": "List", "items": [deployment(), deployment(IMAGE)]}],
    ],
    ids=["helm", "kubectl"],
)
def test_what_the_deployment_leaves_out_has_the_operators_default(tmp_path: Path, bodies: list[Any]) -> None:
    found = read_installation(written(tmp_path, *bodies))
    assert (found.runtime_image, found.policy, found.defaults) == (IMAGE["value"], Policy(), NO_DEFAULTS)


def test_policy_and_defaults_are_those_of_its_environment(tmp_path: Path) -> None:
    policy = {"name": "WHISPER_OPERATOR_POLICY", "value": '{"serviceTypes": ["NodePort"]}'}
    defaults = {"name": "WHISPER_OPERATOR_DEFAULTS", "value": '{"storageClassName": "fast"}'}
    found = read_installation(written(tmp_path, deployment(IMAGE, policy, defaults)))
    assert found.policy == Policy(service_types=("NodePort",))
    assert found.defaults.storage_class_name == "fast"


@pytest.mark.parametrize("bodies", [[], [{"kind": "Service"}], [deployment()]], ids=["empty", "another", "not ours"])
def test_a_file_without_the_operator_is_told(tmp_path: Path, bodies: list[Any]) -> None:
    with pytest.raises(SystemExit, match=r"operator\.yaml: no Deployment of the operator in it"):
        read_installation(written(tmp_path, *bodies))


@pytest.mark.parametrize("value", ["{", '{"hosts": 1}', '{"unknown": []}'])
def test_a_policy_that_is_invalid_is_told(tmp_path: Path, value: str) -> None:
    policy = {"name": "WHISPER_OPERATOR_POLICY", "value": value}
    with pytest.raises(SystemExit, match=r"operator\.yaml: WHISPER_OPERATOR_POLICY or"):
        read_installation(written(tmp_path, deployment(IMAGE, policy)))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"none\.yaml: "):
        read_installation(tmp_path / "none.yaml")
