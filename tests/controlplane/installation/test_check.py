"""`check -f` asks a real API server, before anything is applied."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from testbed.cluster.controlplane import ControlPlane
from tests.support.kubectl import Kubectl
from whisper_operator.__main__ import check_against_cluster, check_file


async def test_the_table_tells_what_the_cluster_lacks(
    namespace: Kubectl,
    plane: ControlPlane,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(plane.kubeconfig))
    body = {
        "apiVersion": "whisper-operator.io/v1alpha1",
        "kind": "WhisperService",
        "metadata": {"name": "speech", "namespace": namespace.namespace},
        "spec": {"model": {"name": "base"}, "gpu": {}, "auth": {"secretRef": {"name": "keys"}}},
    }
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(body))
    services = check_file(tmp_path / "a.yaml")
    assert await check_against_cluster(services) is False
    told = capsys.readouterr().out
    assert "wrong   api keys" in told
    assert "wrong   gpu there         no node offers nvidia.com/gpu" in told
    assert "ok      quota" in told
    assert namespace.list("wsvc") == []
    namespace("create", "secret", "generic", "keys", "--from-literal=team-a=open-sesame")
    await check_against_cluster(services)
    assert "ok      api keys" in capsys.readouterr().out
