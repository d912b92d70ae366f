"""The server and the credentials, from a kubeconfig."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kubernetes import client

from whisper_operator.kube.credentials import authorization, namespace_of, ssl_context

ASK = """
from whisper_operator.kube.credentials import authorization, credentials
found = credentials()
print(found.host, authorization(found)["Authorization"])
"""


def asked(kubeconfig: Path) -> subprocess.CompletedProcess[str]:
    """A process of its own: the client reads KUBECONFIG when it is imported."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("KUBERNETES_")}
    env = {**outside, "KUBECONFIG": str(kubeconfig), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run((sys.executable, "-c", ASK), env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("context", "namespace"), [(None, "team"), ("other", "default"), ("none", "default")])
def test_a_context_names_its_namespace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: str | None, namespace: str
) -> None:
    contexts = [
        {"name": "local", "context": {"cluster": "local", "user": "user", "namespace": "team"}},
        {"name": "other", "context": {"cluster": "local", "user": "user"}},
    ]
    kubeconfig = {
        "clusters": [{"name": "local", "cluster": {"server": "https://127.0.0.1:6443"}}],
        "users": [{"name": "user", "user": {"token": "abc"}}],
        "contexts": contexts,
        "current-context": "local",
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))
    assert namespace_of(context) == namespace


def test_a_kubeconfig_names_the_server_and_the_token(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": "https://127.0.0.1:6443"}}],
        "users": [{"name": "user", "user": {"token": "abc"}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "user"}}],
        "current-context": "local",
    }
    kubeconfig.write_text(json.dumps(config))
    assert asked(kubeconfig).stdout == "https://127.0.0.1:6443 Bearer abc\n"


def test_no_kubeconfig_is_an_error(tmp_path: Path) -> None:
    assert "ConfigException" in asked(tmp_path / "absent").stderr


def test_without_a_token_no_header_is_sent() -> None:
    assert authorization(client.Configuration(host="http://127.0.0.1")) == {}


def test_a_certificate_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    configuration = client.Configuration()
    configuration.cert_file = configuration.key_file = str(tmp_path / "absent.pem")
    with pytest.raises(FileNotFoundError):
        ssl_context(configuration)
