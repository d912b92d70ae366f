"""`CLUSTER=kubeconfig make demo` on a cluster that has an operator, by the kubeconfig alone: docs/tutorial.md."""

from __future__ import annotations

import os
import subprocess

from testbed.cluster import binaries
from testbed.demo import platform, user_cluster
from testbed.paths import REPOSITORY
from tests.support.kubectl import Kubectl


def test_words_from_the_cluster_of_a_kubeconfig(kubectl: Kubectl) -> None:
    """Nothing but kubectl reaches the pods; what is printed is what is done, the words, and how to remove it."""
    environment = os.environ | {
        "CLUSTER": "kubeconfig",
        "KUBECONFIG": str(platform.KUBECONFIG),
        "PATH": f"{binaries.ensure('kubectl')}:{os.environ['PATH']}",
        "PYTHONPATH": "runtime:.",
        "SERVICE": "examples/quickstart.yaml",
    }
    command = ("python3", "-m", "testbed.demo", "up")
    try:
        done = subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "call me back tomorrow morning" in done.stdout.lower()
        assert "has an operator already: it is used as it is" in done.stdout
        assert f"delete namespace {user_cluster.NAMESPACE}" in done.stdout
        assert not [line for line in done.stdout.splitlines() if line.startswith("{")], "a line of a log"
    finally:
        kubectl("delete", "namespace", user_cluster.NAMESPACE, "--ignore-not-found", "--wait=false")
