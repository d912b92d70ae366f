"""The Prometheus operator as a process: what it makes of ServiceMonitors and PrometheusRules for a Prometheus.

No pod of that Prometheus runs. Its configuration lies in a Secret and its rules in a ConfigMap, which
tests/support/prometheus_server.py takes.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from testbed.cluster import binaries, process
from testbed.cluster.controlplane import ControlPlane, free_ports
from tests.support.kubectl import Kubectl
from whisper_operator.api.v1alpha1 import Manifest

NAME = "prometheus-operator"
RULES = "/etc/prometheus/rules/"
"""Where the pods of a Prometheus have its rules."""
REPLICA = {"SHARD": "0", "POD_NAME": "prometheus-0"}
"""Variables that the config reloader of a pod fills in."""


@contextmanager
def running(plane: ControlPlane) -> Iterator[None]:
    (port,) = free_ports(1)
    command = (str(binaries.ensure(NAME) / NAME), f"--web.listen-address=127.0.0.1:{port}")
    process.start(plane.directory, NAME, command, {"KUBECONFIG": str(plane.kubeconfig)})
    try:
        yield
    finally:
        process.stop(plane.directory, NAME)


def prometheus(plane: ControlPlane, name: str, labels: dict[str, str]) -> Manifest:
    """A Prometheus that takes what has those labels in its own namespace, and asks that API server each second.

    Its token lies in a Secret of its name.
    """
    selector = {"matchLabels": labels}
    token = {"key": "token", "name": name}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": name},
        "spec": {
            "serviceMonitorSelector": selector,
            "ruleSelector": selector,
            "scrapeInterval": "1s",
            "evaluationInterval": "1s",
            # Of the two kinds of endpoints the tests write the newer one.
            "serviceDiscoveryRole": "EndpointSlice",
            "apiserverConfig": {
                "host": plane.server,
                "authorization": {"credentials": token},
                "tlsConfig": {"caFile": str(plane.certificate)},
            },
        },
    }


def token_of(plane: ControlPlane, name: str) -> Manifest:
    """The Secret with the token that a Prometheus of that name asks with."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"token": plane.token}}


@dataclass(frozen=True)
class WrittenConfiguration:
    prometheus: str
    """Its configuration file."""
    rules: dict[str, str]
    """Its files of rules, by path."""


def written(namespace: Kubectl, name: str) -> WrittenConfiguration | None:
    """What the Prometheus operator has written for that Prometheus; None until it has."""
    secret = namespace.get("secret", f"prometheus-{name}")
    rules = namespace.get("configmap", f"prometheus-{name}-rulefiles-0")
    if secret is None or rules is None:
        return None
    config = gzip.decompress(base64.b64decode(secret["data"]["prometheus.yaml.gz"])).decode()
    folder = f"{RULES}{rules['metadata']['name']}"
    files: dict[str, Any] = rules.get("data") or {}
    return WrittenConfiguration(
        re.sub(r"\$\((\w+)\)", lambda found: REPLICA[found[1]], config),
        {f"{folder}/{file}": content for file, content in files.items()},
    )
