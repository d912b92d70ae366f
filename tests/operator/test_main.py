"""The command line that needs no cluster."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import yaml

from tests.operator.conftest import NOT_IMPLEMENTED
from whisper_operator.__main__ import check_file, main
from whisper_operator.cli.installation_file import read_installation
from whisper_runtime.contract.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = str(ROOT / "examples/production.yaml")


def test_the_operator_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    assert capsys.readouterr().out == f"{VERSION}\n"


def test_render_prints_what_a_service_becomes(capsys: pytest.CaptureFixture[str]) -> None:
    main(["render", "-f", EXAMPLE])
    kinds = [body["kind"] for body in yaml.safe_load_all(capsys.readouterr().out)]
    assert kinds == [
        "ServiceAccount",
        "PersistentVolumeClaim",
        "Job",
        "Service",
        "Service",
        "Deployment",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "Ingress",
        "ServiceMonitor",
    ]


def test_check_says_that_a_manifest_is_right(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", "/nowhere")
    main(["check", "-f", EXAMPLE])
    assert capsys.readouterr().err.splitlines() == [
        "not checked against a policy and with no defaults: --installation names none",
        "WhisperService speech: valid",
        "not checked against a cluster: no kubeconfig names one",
    ]


def test_check_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(Path(EXAMPLE).read_text()))
    assert [one.metadata.name for one in check_file(Path("-"))] == ["speech"]


@pytest.mark.parametrize(("metadata", "found"), [({}, "team"), ({"namespace": "own"}, "own")])
def test_a_service_that_names_no_namespace_is_checked_in_the_given_one(
    tmp_path: Path, metadata: dict[str, str], found: str
) -> None:
    body = yaml.safe_load(Path(EXAMPLE).read_text()) | {"metadata": {"name": "speech", **metadata}}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(body))
    (service,) = check_file(tmp_path / "a.yaml", "team")
    assert service.metadata.namespace == found


def installation(folder: Path, **policy: object) -> list[str]:
    """The option that names an installation with that policy, and with a class for Ingresses."""
    values = {
        "WHISPER_OPERATOR_RUNTIME_IMAGE": "registry.example.com/runtime:1",
        "WHISPER_OPERATOR_POLICY": json.dumps(policy),
        "WHISPER_OPERATOR_DEFAULTS": json.dumps({"ingressClassName": "own"}),
    }
    env = [{"name": name, "value": value} for name, value in values.items()]
    deployment = {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"env": env}]}}}}
    (folder / "operator.yaml").write_text(yaml.safe_dump_all([{"kind": "Service"}, deployment]))
    return ["--installation", str(folder / "operator.yaml")]


def test_check_names_what_the_installations_policy_refuses(tmp_path: Path) -> None:
    with pytest.raises(
        SystemExit, match=r"speech: spec.ingress.host .*not allowed by policy\.hosts of the operator's installation"
    ):
        main(["check", "-f", EXAMPLE, *installation(tmp_path, hosts=["*.team.example.com"])])


def test_check_completes_a_service_by_the_installations_defaults(tmp_path: Path) -> None:
    _, file = installation(tmp_path)
    body = yaml.safe_load(Path(EXAMPLE).read_text())
    del body["spec"]["ingress"]["className"]
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(body))
    (service,) = check_file(tmp_path / "a.yaml", "team", read_installation(Path(file)))
    assert service.spec.ingress is not None
    assert service.spec.ingress.class_name == "own"


def test_a_context_that_does_not_exist_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    with pytest.raises(SystemExit, match="--context other: "):
        main(["check", "-f", EXAMPLE, "--context", "other"])


def test_check_says_what_is_wrong() -> None:
    with pytest.raises(SystemExit, match=r"WhisperService invalid: spec.autoscaling.*minReplicas is larger"):
        main(["check", "-f", str(ROOT / "tests/controlplane/invalid/autoscaling-min-above-max.yaml")])


@pytest.mark.usefixtures("redis_not_implemented")
@pytest.mark.parametrize("command", ["check", "render"])
def test_what_is_not_implemented_is_named(tmp_path: Path, command: str) -> None:
    body = yaml.safe_load((ROOT / "examples/minimal.yaml").read_text())
    body["spec"] |= NOT_IMPLEMENTED
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(body))
    with pytest.raises(SystemExit, match=r"not implemented in this version: spec\.redis"):
        main([command, "-f", str(tmp_path / "a.yaml")])


@pytest.mark.parametrize("content", ["", "kind: Pod", "{", "- a", "speech"])
def test_a_file_without_a_service_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(SystemExit, match=r"a\.yaml"):
        main(["check", "-f", str(tmp_path / "a.yaml")])


@pytest.mark.parametrize("metadata", ["speech", None, {"name": "-"}, {"name": "a" * 41}])
def test_a_service_without_a_name_is_told(tmp_path: Path, metadata: object) -> None:
    body = yaml.safe_load(Path(EXAMPLE).read_text()) | {"metadata": metadata}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(body))
    with pytest.raises(SystemExit, match="metadata"):
        main(["render", "-f", str(tmp_path / "a.yaml")])


def test_crd_prints_the_definition(capsys: pytest.CaptureFixture[str]) -> None:
    main(["crd"])
    assert yaml.safe_load(capsys.readouterr().out) == yaml.safe_load((ROOT / "crds/whisperservices.yaml").read_text())
